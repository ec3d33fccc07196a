// SPDX-License-Identifier: Apache-2.0
// What the protocol's text demands of an Engine.IO server, on the wire.
// Usage: test_engine_protocol.mjs SERVER
import assert from "node:assert/strict";
import http from "node:http";
import { next, run, sleep, startServer, test } from "./harness.mjs";

const { default: WebSocket } = await import("ws");
const INTERVAL = 300;
const TIMEOUT = 200;
const server = await startServer(process.argv[2], ["--protocol", "engine.io"]);
const base = `http://127.0.0.1:${server.port}/engine.io/`;

async function http1(query, method = "GET", body = undefined) {
  const response = await fetch(base + query, { method, body });
  return { status: response.status, text: await response.text(), response };
}

async function handshake() {
  const { text } = await http1("?EIO=4&transport=polling");
  return JSON.parse(text.slice(1)).sid;
}

const polling = (sid) => `?EIO=4&transport=polling&sid=${sid}`;

// Every frame is kept: none can come before someone waits for it.
async function webSocket(query) {
  const ws = new WebSocket(base.replace("http", "ws") + query);
  const frames = [];
  const waiting = [];
  ws.binaryType = "nodebuffer";
  ws.on("message", (data, isBinary) => {
    const frame = isBinary ? data : data.toString();
    const waiter = waiting.shift();
    if (waiter) waiter(frame);
    else frames.push(frame);
  });
  ws.on("error", () => {});
  ws.frame = async () => {
    if (frames.length > 0) return frames.shift();
    return new Promise((resolve) => waiting.push(resolve));
  };
  await Promise.race([next(ws, "open"), next(ws, "close")]);
  return ws;
}

async function openWebSocket() {
  const ws = await webSocket("?EIO=4&transport=websocket");
  ws.hello = await ws.frame();
  return ws;
}

function checkHandshake(text, upgrades) {
  assert.equal(text[0], "0");
  const { sid, ...rest } = JSON.parse(text.slice(1));
  assert.match(sid, /^[\w-]{16,}$/);
  assert.deepEqual(rest, {
    upgrades,
    pingInterval: INTERVAL,
    pingTimeout: TIMEOUT,
    maxPayload: 1000000,
  });
}

test("polling/handshake", async () => {
  const { status, text, response } = await http1("?EIO=4&transport=polling");
  assert.equal(status, 200);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.match(response.headers.get("content-type"), /^text\/plain/);
  checkHandshake(text, ["websocket"]);
});

test("polling/handshake-errors", async () => {
  const cases = [
    ["?transport=polling", "GET"],
    ["?EIO=3&transport=polling", "GET"],
    ["?EIO=abc&transport=polling", "GET"],
    ["?EIO=4", "GET"],
    ["", "GET"],
    ["?EIO=4&transport=abc", "GET"],
    ["?EIO=4&transport=polling", "POST"],
    ["?EIO=4&transport=polling", "PUT"],
    ["?EIO=4&transport=websocket", "GET"],
    ["?EIO=4&transport=polling&sid=unknown", "GET"],
    ["?EIO=4&transport=polling&sid=unknown", "POST"],
  ];
  for (const [query, method] of cases) {
    const { status, text } = await http1(query, method);
    assert.equal(status, 400, `${method} ${query}`);
    assert.equal(typeof JSON.parse(text), "string");
  }
});

test("polling/without-final-slash-and-elsewhere", async () => {
  const url = `http://127.0.0.1:${server.port}/engine.io`;
  const ok = await fetch(url + "?EIO=4&transport=polling");
  assert.equal(ok.status, 200);
  const below = await fetch(url + "/more?EIO=4&transport=polling");
  assert.equal(below.status, 404);
  const beside = await fetch(url + "x?EIO=4&transport=polling");
  assert.equal(beside.status, 404);
});

test("polling/preflight", async () => {
  const response = await fetch(base, {
    method: "OPTIONS",
    headers: { "Access-Control-Request-Headers": "authorization" },
  });
  assert.equal(response.status, 204);
  assert.equal(
    response.headers.get("access-control-allow-headers"),
    "authorization",
  );
});

for (const [name, body] of [
  ["text", "4hello"],
  ["several", "4test1\x1e4test2\x1e4test3"],
  ["binary", "bAQIDBA=="],
  ["text-and-binary", "4hello\x1ebAQIDBA==\x1e4ñ€😀"],
]) {
  test(`polling/message/${name}`, async () => {
    const sid = await handshake();
    const post = await http1(polling(sid), "POST", body);
    assert.equal(post.status, 200);
    assert.equal(post.text, "ok");
    const get = await http1(polling(sid));
    assert.equal(get.status, 200);
    assert.equal(get.text, body);
  });
}

test("polling/at-most-16-packets-a-body", async () => {
  const sid = await handshake();
  const sixteen = new Array(16).fill("4x").join("\x1e");
  await http1(polling(sid), "POST", sixteen);
  await http1(polling(sid), "POST", "4y");
  assert.equal((await http1(polling(sid))).text, sixteen);
  assert.equal((await http1(polling(sid))).text, "4y");
  // More may come in, since the public client does so, but not any number.
  assert.equal((await http1(polling(sid), "POST", sixteen + "\x1e4x")).status, 200);
  const post = await http1(polling(sid), "POST", "4x" + "\x1e4x".repeat(4096));
  assert.equal(post.status, 400);
  assert.equal((await http1(polling(sid))).status, 400);
});

test("polling/too-large", async () => {
  const sid = await handshake();
  const post = await http1(polling(sid), "POST", "4" + "x".repeat(1000000));
  assert.equal(post.status, 413);
});

test("polling/too-large-chunked", async () => {
  const sid = await handshake();
  const outcome = await new Promise((resolve) => {
    const request = http.request(base + polling(sid), { method: "POST" });
    request.on("response", (response) => resolve(response.statusCode));
    request.on("error", () => resolve("broken"));
    for (let i = 0; i < 64; i++) request.write("4" + "x".repeat(65536));
    request.end();
  });
  assert.notEqual(outcome, 200);
});

for (const body of ["abc", "", "4x\x1e", "b***", "7"]) {
  test(`polling/invalid-body-closes/${JSON.stringify(body)}`, async () => {
    const sid = await handshake();
    const post = await http1(polling(sid), "POST", body);
    assert.equal(post.status, 400);
    assert.equal((await http1(polling(sid))).status, 400);
  });
}

test("polling/second-get-closes", async () => {
  const sid = await handshake();
  const first = http1(polling(sid));
  await sleep(20);
  const second = await http1(polling(sid) + "&t=2");
  assert.equal(second.status, 400);
  assert.deepEqual([(await first).status, (await first).text], [200, "1"]);
  assert.equal((await http1(polling(sid))).status, 400);
});

test("polling/heartbeat", async () => {
  const sid = await handshake();
  for (let i = 0; i < 3; i++) {
    const get = await http1(polling(sid));
    assert.deepEqual([get.status, get.text], [200, "2"]);
    assert.equal((await http1(polling(sid), "POST", "3")).status, 200);
  }
});

test("polling/heartbeat-missed", async () => {
  const sid = await handshake();
  await sleep(INTERVAL + TIMEOUT);
  assert.equal((await http1(polling(sid))).status, 400);
});

test("polling/close", async () => {
  const sid = await handshake();
  const get = http1(polling(sid));
  await sleep(20);
  assert.equal((await http1(polling(sid), "POST", "1")).status, 200);
  assert.deepEqual([(await get).status, (await get).text], [200, "6"]);
  assert.equal((await http1(polling(sid))).status, 400);
});

test("polling/client-gone-while-waiting", async () => {
  const sid = await handshake();
  const abort = new AbortController();
  const get = fetch(base + polling(sid), { signal: abort.signal });
  await sleep(20);
  abort.abort();
  await assert.rejects(get);
  await sleep(INTERVAL + TIMEOUT + 100);
  assert.equal((await http1(polling(sid))).status, 400);
});

test("websocket/handshake", async () => {
  const ws = await openWebSocket();
  checkHandshake(ws.hello, []);
  ws.close();
});

test("websocket/handshake-errors", async () => {
  for (const query of [
    "?transport=websocket",
    "?EIO=abc&transport=websocket",
    "?EIO=4",
    "?EIO=4&transport=abc",
    "?EIO=4&transport=websocket&sid=unknown",
  ]) {
    const ws = await webSocket(query);
    assert.notEqual(ws.readyState, WebSocket.OPEN, query);
  }
});

test("websocket/message", async () => {
  const ws = await openWebSocket();
  ws.send("4hello");
  assert.equal(await ws.frame(), "4hello");
  ws.send(Buffer.from([1, 2, 3, 4]));
  assert.deepEqual(await ws.frame(), Buffer.from([1, 2, 3, 4]));
  ws.close();
});

test("websocket/too-large", async () => {
  const ws = await openWebSocket();
  ws.send("4" + "x".repeat(1000001));
  const [code] = await next(ws, "close");
  // 1006 where the reset overtakes the close frame.
  assert.ok([1006, 1009].includes(code), String(code));
});

for (const text of ["abc", "", "0", "2", "9"]) {
  test(`websocket/invalid-closes/${JSON.stringify(text)}`, async () => {
    const ws = await openWebSocket();
    ws.send(text);
    await next(ws, "close", 250);
  });
}

test("websocket/heartbeat", async () => {
  const ws = await openWebSocket();
  for (let i = 0; i < 3; i++) {
    assert.equal(await ws.frame(), "2");
    ws.send("3");
  }
  ws.close();
});

test("websocket/heartbeat-missed", async () => {
  const ws = await openWebSocket();
  await next(ws, "close");
});

test("websocket/close", async () => {
  const ws = await openWebSocket();
  ws.send("1");
  await next(ws, "close", 250);
});

async function probe(sid) {
  const ws = await webSocket(`?EIO=4&transport=websocket&sid=${sid}`);
  ws.send("2probe");
  assert.equal(await ws.frame(), "3probe");
  return ws;
}

test("upgrade/complete", async () => {
  const sid = await handshake();
  const ws = await probe(sid);
  const get = await http1(polling(sid));
  assert.deepEqual([get.status, get.text], [200, "6"]);
  ws.send("5");
  ws.send("4hello");
  assert.equal(await ws.frame(), "4hello");
  ws.close();
});

test("upgrade/releases-the-get-that-waits", async () => {
  const sid = await handshake();
  const get = http1(polling(sid));
  await sleep(20);
  const ws = await probe(sid);
  assert.deepEqual([(await get).status, (await get).text], [200, "6"]);
  ws.send("5");
  ws.send("4hello");
  assert.equal(await ws.frame(), "4hello");
  ws.close();
});

test("upgrade/what-waited-comes-over-the-websocket", async () => {
  const sid = await handshake();
  await http1(polling(sid), "POST", "4first\x1ebAQI=");
  const ws = await probe(sid);
  ws.send("5");
  assert.equal(await ws.frame(), "4first");
  assert.deepEqual(await ws.frame(), Buffer.from([1, 2]));
  ws.close();
});

test("upgrade/no-polling-afterwards", async () => {
  const sid = await handshake();
  const ws = await probe(sid);
  ws.send("5");
  await sleep(20);
  assert.equal((await http1(polling(sid))).status, 400);
  assert.equal((await http1(polling(sid), "POST", "4x")).status, 400);
  ws.send("4hello");
  assert.equal(await ws.frame(), "4hello");
  ws.close();
});

test("upgrade/no-second-websocket", async () => {
  const sid = await handshake();
  const ws = await probe(sid);
  const early = await webSocket(`?EIO=4&transport=websocket&sid=${sid}`);
  assert.notEqual(early.readyState, WebSocket.OPEN);
  ws.send("5");
  await sleep(20);
  const late = await webSocket(`?EIO=4&transport=websocket&sid=${sid}`);
  assert.notEqual(late.readyState, WebSocket.OPEN);
  ws.send("4hello");
  assert.equal(await ws.frame(), "4hello");
  ws.close();
});

test("upgrade/failed-probe-leaves-polling", async () => {
  const sid = await handshake();
  const ws = await webSocket(`?EIO=4&transport=websocket&sid=${sid}`);
  ws.send("4hello");
  await next(ws, "close");
  const closed = await probe(sid);
  closed.terminate();
  await sleep(50);
  await http1(polling(sid), "POST", "4still\x1e3");
  assert.match((await http1(polling(sid))).text, /4still/);
});

// As Python's client does: handshake and upgrade on one keep-alive connection.
test("upgrade/on-the-same-tcp-connection", async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const get = (options) =>
    new Promise((resolve, reject) => {
      const request = http.get(
        { host: "127.0.0.1", port: server.port, agent, ...options },
        (response) => {
          let text = "";
          response.on("data", (chunk) => (text += chunk));
          response.on("end", () =>
            resolve({ text, port: response.socket?.localPort ?? port }),
          );
        },
      );
      let port;
      request.on("socket", (socket) => {
        port = socket.localPort;
        socket.once("connect", () => (port = socket.localPort));
      });
      request.on("upgrade", (response, socket) =>
        resolve({ status: response.statusCode, port: socket.localPort, socket }),
      );
      request.on("error", reject);
    });
  const opened = await get({ path: "/engine.io/?EIO=4&transport=polling" });
  const { sid } = JSON.parse(opened.text.slice(1));
  const upgraded = await get({
    path: `/engine.io/?EIO=4&transport=websocket&sid=${sid}`,
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    },
  });
  assert.equal(upgraded.status, 101);
  assert.equal(upgraded.port, opened.port);
  upgraded.socket.destroy();
  agent.destroy();
});

await run(() => server.end());
