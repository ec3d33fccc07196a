// SPDX-License-Identifier: Apache-2.0
// The public socket.io server with the behaviour of our conformance server:
// auth, message-back, acknowledgements, on / and /custom.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

if (!existsSync(new URL("./node_modules/socket.io", import.meta.url)))
  process.exit(77);

const { Server } = await import("socket.io");
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    "ping-interval": { type: "string", default: "300" },
    "ping-timeout": { type: "string", default: "200" },
    "max-payload": { type: "string", default: "1000000" },
    "watch-stdin": { type: "boolean", default: false },
  },
});
const http = createServer();
const io = new Server(http, {
  pingInterval: Number(values["ping-interval"]),
  pingTimeout: Number(values["ping-timeout"]),
  maxHttpBufferSize: Number(values["max-payload"]),
});

function serve(socket) {
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("ask-me", (...args) =>
    socket.emit("question", ...args, (...answer) =>
      socket.emit("answer-back", ...answer),
    ),
  );
  socket.on("leave", () => socket.disconnect(false));
  socket.on("close", () => socket.disconnect(true));
}

io.of("/").on("connection", serve);
io.of("/custom").on("connection", serve);
http.listen(Number(values.port), "127.0.0.1", () =>
  console.log(`listening ${http.address().port}`),
);
if (values["watch-stdin"]) {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.resume();
}
