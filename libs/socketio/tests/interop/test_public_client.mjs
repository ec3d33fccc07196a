// SPDX-License-Identifier: Apache-2.0
// The public socket.io-client against our server.
// Usage: test_public_client.mjs SERVER
import assert from "node:assert/strict";
import { bytesOf, next, run, sleep, startServer, test, within } from "./harness.mjs";

const { io, Manager } = await import("socket.io-client");
const MIB = 1 << 20;
const program = process.argv[2];
const options = [
  "--max-payload",
  String(20 * MIB),
  "--ping-interval",
  "5000",
  "--ping-timeout",
  "5000",
  "--connect-timeout",
  "5000",
];
let server = await startServer(program, options);

const ways = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

function open(way, path = "", extra = {}) {
  return io(`http://127.0.0.1:${server.port}${path}`, {
    forceNew: true,
    reconnection: false,
    ...ways[way],
    ...extra,
  });
}

async function opened(way, path = "", extra = {}) {
  const socket = open(way, path, extra);
  socket.authPacket = next(socket, "auth");
  await next(socket, "connect");
  await socket.authPacket;
  if (way === "upgrade" && socket.io.engine.transport.name !== "websocket")
    await next(socket.io.engine, "upgrade");
  return socket;
}

async function echo(socket, ...args) {
  const back = next(socket, "message-back");
  socket.emit("message", ...args);
  return back;
}

for (const way of Object.keys(ways)) {
  test(`${way}/text-and-binary`, async () => {
    const socket = await opened(way);
    const args = [1, "ñ€😀 \u0007\"\\", { a: [null, true, 1.5], b: {} }, []];
    assert.deepEqual(await echo(socket, ...args), args);
    const mixed = { data: bytesOf(1000), list: [bytesOf(3), "x"] };
    assert.deepEqual(await echo(socket, mixed, Buffer.alloc(0)), [
      mixed,
      Buffer.alloc(0),
    ]);
    socket.disconnect();
  });

  test(`${way}/ack-both-ways`, async () => {
    const socket = await opened(way);
    const answer = await within(
      new Promise((resolve) =>
        socket.emit("message-with-ack", 1, bytesOf(9), (...a) => resolve(a)),
      ),
      5000,
      "ack",
    );
    assert.deepEqual(answer, [1, bytesOf(9)]);
    socket.once("question", (a, b, ack) => ack({ a, b }, bytesOf(5)));
    const back = next(socket, "answer-back");
    socket.emit("ask-me", 4, bytesOf(7));
    assert.deepEqual(await back, [{ a: 4, b: bytesOf(7) }, bytesOf(5)]);
    socket.disconnect();
  });

  for (const size of [MIB, 13 * MIB]) {
    test(`${way}/${size / MIB}-MiB`, async () => {
      const socket = await opened(way);
      // base64 makes 13 MiB of bytes too large for one polling body
      if (way !== "polling" || size < 13 * MIB) {
        const bytes = bytesOf(size);
        const [back] = await echo(socket, bytes);
        assert.ok(bytes.equals(back));
      }
      const text = "abcdefgh".repeat(size / 8);
      const [backText] = await echo(socket, { text });
      assert.ok(backText.text === text);
      socket.disconnect();
    });
  }

  test(`${way}/many-in-order`, async () => {
    const socket = await opened(way);
    const got = [];
    const all = new Promise((resolve) =>
      socket.on("message-back", (i, bytes) => {
        assert.equal(bytes[0], i & 255);
        got.push(i);
        if (got.length === 300) resolve();
      }),
    );
    for (let i = 0; i < 300; i++)
      socket.emit("message", i, Buffer.from([i & 255]));
    await within(all, 20000, "300 messages");
    assert.deepEqual(got, [...Array(300).keys()]);
    socket.disconnect();
  });

  test(`${way}/server-disconnects`, async () => {
    const socket = await opened(way);
    socket.emit("leave");
    assert.equal((await next(socket, "disconnect"))[0], "io server disconnect");
    const other = await opened(way);
    other.emit("close");
    await next(other, "disconnect");
  });

  test(`${way}/unknown-namespace`, async () => {
    const socket = open(way, "/nobody");
    const [error] = await next(socket, "connect_error");
    assert.equal(error.message, "Invalid namespace");
    socket.disconnect();
  });
}

test("several-namespaces-on-one-connection", async () => {
  const manager = new Manager(`http://127.0.0.1:${server.port}`, {
    reconnection: false,
  });
  const main = manager.socket("/", { auth: { token: "a" } });
  const custom = manager.socket("/custom", { auth: { token: "b" } });
  const auths = Promise.all([next(main, "auth"), next(custom, "auth")]);
  main.connect();
  custom.connect();
  assert.deepEqual(await auths, [[{ token: "a" }], [{ token: "b" }]]);
  assert.notEqual(main.id, custom.id);
  custom.disconnect();
  assert.deepEqual(await echo(main, 1), [1]);
  main.disconnect();
});

test("paths-and-slashes", async () => {
  for (const path of ["/socket.io", "/ws/sts", "/ws/sts/"]) {
    const socket = await opened("upgrade", "", { path, addTrailingSlash: false });
    assert.deepEqual(await echo(socket, path), [path]);
    socket.disconnect();
  }
});

test("emits-during-the-upgrade", async () => {
  for (let round = 0; round < 20; round++) {
    const socket = open("upgrade");
    const got = [];
    const all = new Promise((resolve) =>
      socket.on("message-back", (i) => got.push(i) === 50 && resolve()),
    );
    for (let i = 0; i < 50; i++) {
      socket.emit("message", i, bytesOf(100));
      if (i % 10 === 0) await sleep(1);
    }
    await within(all, 10000, "50 messages");
    assert.deepEqual(got, [...Array(50).keys()]);
    socket.disconnect();
  }
});

test("reconnects-after-a-restart", async () => {
  const socket = await opened("upgrade", "", {
    reconnection: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 50,
  });
  const gone = next(socket, "disconnect");
  const { port } = server;
  assert.equal(await server.end(), 0);
  await gone;
  const back = next(socket, "connect");
  server = await startServer(program, [...options, "--port", String(port)]);
  await back;
  assert.deepEqual(await echo(socket, "again"), ["again"]);
  socket.disconnect();
});

await run(() => server.end());
