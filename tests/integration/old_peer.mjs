// SPDX-License-Identifier: Apache-2.0
// A speech service as those in the field are: the public Socket.IO server,
// base64 only, explicit nulls, no ids in errors, a pause that nobody lifts.
// What it does to a fragment depends on its sequence number alone.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(
  new URL("../../libs/socketio/tests/interop/package.json", import.meta.url));
let Server;
try {
  ({ Server } = require("socket.io"));
} catch {
  console.log("skip");
  process.exit(77);
}

const processed = (fragment, more) => ({
  fragment_id: fragment.fragment_id, stream_id: fragment.stream_id,
  sequence_number: fragment.sequence_number, status: "success",
  dubbed_audio: fragment.audio, transcript: "hola", translated_text: "hello",
  processing_time_ms: 3, stage_timings: null, error: null, metadata: null,
  ...more });
const ack = (fragment) => ({
  fragment_id: fragment.fragment_id, status: "queued", timestamp: null,
  queue_position: null, estimated_completion_ms: null });

const answers = [
  (socket, f) => {
    socket.emit("fragment:ack", ack(f));
    socket.emit("fragment:processed", processed(f, {}));
  },
  (socket, f) => {
    socket.emit("fragment:ack", ack(f));
    socket.emit("backpressure", {
      stream_id: f.stream_id, severity: "high", action: "pause",
      current_inflight: 3, queue_depth: 0, recommended_delay_ms: null });
    socket.emit("fragment:processed", processed(f, { status: "partial" }));
  },
  (socket) => socket.emit("error", {
    stage: null, code: "BACKPRESSURE_EXCEEDED", message: "too much",
    retryable: true, details: null }),
  (socket, f) => {
    socket.emit("fragment:ack", ack(f));
    socket.emit("fragment:processed", processed(f, {
      status: "failed", dubbed_audio: null, transcript: null,
      error: { stage: null, code: "ASR_FAILED", message: "x\ny",
        retryable: true } }));
  },
  (socket, f) => socket.emit("fragment:processed",
    processed(f, { dubbed_audio: null })),
  (socket) => socket.disconnect(false),
];

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  const hasAuth = Object.keys(socket.handshake.auth ?? {}).length > 0;
  socket.on("stream:init", (init) => {
    const c = init.config;
    if (hasAuth || !init.stream_id || !init.worker_id || !c.format
        || c.sample_rate_hz !== 48000 || !c.chunk_duration_ms) {
      socket.emit("error", { code: "INVALID_CONFIG",
        message: JSON.stringify(init), retryable: false });
      return;
    }
    socket.emit("stream:ready", {
      stream_id: init.stream_id, session_id: "x", max_inflight: 3,
      capabilities: { batch_processing: false, async_delivery: true } });
  });
  socket.on("fragment:data", (fragment) => {
    if (typeof fragment.audio.data_base64 !== "string"
        || fragment.audio.format !== "m4a") {
      throw new Error("this peer takes base64 m4a only");
    }
    answers[fragment.sequence_number](socket, fragment);
  });
});
http.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
