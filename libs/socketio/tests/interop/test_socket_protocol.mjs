// SPDX-License-Identifier: Apache-2.0
// What the protocol's text demands of a Socket.IO server, on the wire.
// Usage: test_socket_protocol.mjs SERVER
import assert from "node:assert/strict";
import { next, run, sleep, startServer, test } from "./harness.mjs";

const { default: WebSocket } = await import("ws");
const server = await startServer(process.argv[2], ["--protocol", "socket.io"]);

// A WebSocket that keeps its frames and answers pings when told to.
async function raw({ path = "/socket.io/", pong = true } = {}) {
  const ws = new WebSocket(
    `ws://127.0.0.1:${server.port}${path}?EIO=4&transport=websocket`,
  );
  const frames = [];
  const waiting = [];
  ws.binaryType = "nodebuffer";
  ws.on("message", (data, isBinary) => {
    const frame = isBinary ? data : data.toString();
    if (frame === "2") {
      if (pong) ws.send("3");
      return;
    }
    const waiter = waiting.shift();
    if (waiter) waiter(frame);
    else frames.push(frame);
  });
  ws.frame = async () => {
    if (frames.length > 0) return frames.shift();
    return new Promise((resolve) => waiting.push(resolve));
  };
  assert.equal((await ws.frame())[0], "0");
  return ws;
}

async function joined(prefix = "40", options = {}) {
  const ws = await raw(options);
  ws.send(prefix);
  await ws.frame();
  await ws.frame();
  return ws;
}

for (const [sent, connected, auth] of [
  ["40", /^40(\{.*\})$/, '42["auth",{}]'],
  ["40{}", /^40(\{.*\})$/, '42["auth",{}]'],
  ['40{"token":"123"}', /^40(\{.*\})$/, '42["auth",{"token":"123"}]'],
  ["40/custom,", /^40\/custom,(\{.*\})$/, '42/custom,["auth",{}]'],
  ["40/custom", /^40\/custom,(\{.*\})$/, '42/custom,["auth",{}]'],
  ["40/custom?a=b,", /^40\/custom,(\{.*\})$/, '42/custom,["auth",{}]'],
  [
    '40/custom,{"token":"abc"}',
    /^40\/custom,(\{.*\})$/,
    '42/custom,["auth",{"token":"abc"}]',
  ],
]) {
  test(`connect/${sent}`, async () => {
    const ws = await raw();
    ws.send(sent);
    const [, json] = (await ws.frame()).match(connected);
    assert.deepEqual(Object.keys(JSON.parse(json)), ["sid"]);
    assert.equal(await ws.frame(), auth);
    ws.close();
  });
}

test("connect/other-path", async () => {
  const ws = await joined("40", { path: "/ws/sts" });
  ws.close();
});

test("connect/unknown-namespace", async () => {
  const ws = await raw();
  ws.send("40/random");
  assert.equal(await ws.frame(), '44/random,{"message":"Invalid namespace"}');
  ws.send("40");
  assert.match(await ws.frame(), /^40/);
  ws.close();
});

test("connect/none-in-time-closes", async () => {
  const ws = await raw();
  await next(ws, "close", 1500);
});

test("disconnect/main", async () => {
  const ws = await joined("40");
  ws.send("41");
  await next(ws, "close", 1500);
});

test("disconnect/custom-leaves-main", async () => {
  const ws = await joined("40");
  ws.send("40/custom");
  assert.match(await ws.frame(), /^40\/custom,/);
  assert.equal(await ws.frame(), '42/custom,["auth",{}]');
  ws.send("41/custom");
  ws.send('42["message","to main"]');
  assert.equal(await ws.frame(), '42["message-back","to main"]');
  ws.close();
});

test("disconnect/by-the-server", async () => {
  const ws = await joined("40");
  ws.send('42["leave"]');
  assert.equal(await ws.frame(), "41");
  ws.close();
  const other = await joined("40");
  other.send('42["close"]');
  assert.equal(await other.frame(), "41");
  await next(other, "close", 250);
});

// What waits for a polling client still reaches it, the end behind it.
test("disconnect/by-the-server-while-polling", async () => {
  const base = `http://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(base)).text();
  const url = `${base}&sid=${JSON.parse(opened.slice(1)).sid}`;
  const post = (body) => fetch(url, { method: "POST", body });
  await post("40");
  assert.match(await (await fetch(url)).text(), /^40.*\x1e42\["auth"/);
  assert.equal((await post('42["close"]')).status, 200);
  // A ping may stand before it.
  assert.match(await (await fetch(url)).text(), /^(2\x1e)?41\x1e1$/);
  assert.equal((await fetch(url)).status, 400);
});

test("websocket/ping-frame-is-answered", async () => {
  const ws = await joined();
  ws.ping("hello");
  assert.equal(String((await next(ws, "pong"))[0]), "hello");
  ws.close();
});

test("message/text", async () => {
  const ws = await joined();
  ws.send('42["message",1,"2",{"3":[true]}]');
  assert.equal(await ws.frame(), '42["message-back",1,"2",{"3":[true]}]');
  ws.close();
});

test("message/binary", async () => {
  const ws = await joined();
  const args = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  ws.send(`452-["message",${args}]`);
  ws.send(Buffer.from([1, 2, 3]));
  ws.send(Buffer.from([4, 5, 6]));
  assert.equal(await ws.frame(), `452-["message-back",${args}]`);
  assert.deepEqual(await ws.frame(), Buffer.from([1, 2, 3]));
  assert.deepEqual(await ws.frame(), Buffer.from([4, 5, 6]));
  ws.close();
});

test("message/text-with-ack", async () => {
  const ws = await joined();
  ws.send('42456["message-with-ack",1,"2",{"3":[false]}]');
  assert.equal(await ws.frame(), '43456[1,"2",{"3":[false]}]');
  ws.close();
});

test("message/binary-with-ack", async () => {
  const ws = await joined("40/custom");
  const args = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  ws.send(`452-/custom,789["message-with-ack",${args}]`);
  ws.send(Buffer.from([1, 2, 3]));
  ws.send(Buffer.from([4, 5, 6]));
  assert.equal(await ws.frame(), `462-/custom,789[${args}]`);
  assert.deepEqual(await ws.frame(), Buffer.from([1, 2, 3]));
  assert.deepEqual(await ws.frame(), Buffer.from([4, 5, 6]));
  ws.close();
});

test("message/unknown-event-is-passed-over", async () => {
  const ws = await joined();
  ws.send('42["nobody-knows",1]');
  ws.send('42["message",2]');
  assert.equal(await ws.frame(), '42["message-back",2]');
  ws.close();
});

for (const frames of [
  ["4abc"],
  ["4"],
  ["48"],
  ["42{}"],
  ["42[]"],
  ["42[1]"],
  ["42"],
  ['42abc["message"]'],
  ['42["message"'],
  ['42["message"]x'],
  ['4299999999999999999999["message"]'],
  ["43[]"],
  ['45["message"]'],
  ['4599-["message"]'],
  ['451-["message",{"_placeholder":true,"num":1}]'],
  ['451-["message",{"_placeholder":true}]'],
  ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
  [Buffer.from([1])],
  ["40[]"],
  [`42["message",${"[".repeat(100)}${"]".repeat(100)}]`],
]) {
  test(`invalid-closes/${String(frames).slice(0, 60)}`, async () => {
    const ws = await joined();
    for (const frame of frames) ws.send(frame);
    await next(ws, "close", 250);
  });
}

test("heartbeat/missed", async () => {
  const ws = await joined("40", { pong: false });
  await next(ws, "close", 1500);
});

test("heartbeat/kept", async () => {
  const ws = await joined();
  await sleep(1200);
  assert.equal(ws.readyState, WebSocket.OPEN);
  ws.send('42["message",1]');
  assert.equal(await ws.frame(), '42["message-back",1]');
  ws.close();
});

await run(() => server.end());
