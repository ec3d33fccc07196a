// SPDX-License-Identifier: Apache-2.0
// What the interop tests share: a TAP runner with a time limit for each test,
// and our programs as children that end with their standard input.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import assert from "node:assert/strict";

const TEST_LIMIT_MS = 60000;

if (!existsSync(new URL("./node_modules/socket.io", import.meta.url))) {
  console.log("1..0 # SKIP npm ci has not been run here");
  process.exit(0);
}

const tests = [];

export function test(name, body) {
  tests.push({ name, body });
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function within(promise, ms, what) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${ms} ms`)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// The next event of an emitter, as its arguments.
export function next(emitter, event, ms = 20000) {
  return within(
    new Promise((resolve) => emitter.once(event, (...args) => resolve(args))),
    ms,
    event,
  );
}

// Lines of a child, each of which can be waited for.
export class Child {
  constructor(program, args) {
    this.process = spawn(program, args, {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.lines = [];
    this.waiting = [];
    this.rest = "";
    this.exited = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdout.setEncoding("utf8");
    this.process.stdout.on("data", (text) => this.take(text));
  }

  take(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) {
      const waiter = this.waiting.shift();
      if (waiter) waiter(line);
      else this.lines.push(line);
    }
  }

  line(ms = 20000) {
    if (this.lines.length > 0) return Promise.resolve(this.lines.shift());
    return within(
      new Promise((resolve) => this.waiting.push(resolve)),
      ms,
      "line from the child",
    );
  }

  say(line) {
    this.process.stdin.write(line + "\n");
  }

  async end() {
    this.process.stdin.end();
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 10000);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}

export async function startServer(program, args) {
  const child = new Child(program, ["--port", "0", "--watch-stdin", ...args]);
  const [word, port] = (await child.line()).split(" ");
  assert.equal(word, "listening");
  child.port = Number(port);
  return child;
}

export function bytesOf(length, seed = 1) {
  const bytes = Buffer.allocUnsafe(length);
  let x = seed;
  for (let i = 0; i < length; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff;
    bytes[i] = x >> 16;
  }
  return bytes;
}

export async function run(cleanup) {
  let failures = 0;
  console.log(`1..${tests.length}`);
  for (const [i, { name, body }] of tests.entries()) {
    try {
      await within(body(), TEST_LIMIT_MS, "end of the test");
      console.log(`ok ${i + 1} ${name}`);
    } catch (error) {
      failures++;
      console.log(`not ok ${i + 1} ${name}`);
      console.log(String(error.stack).replace(/^/gm, "# "));
    }
  }
  const code = await cleanup();
  process.exit(failures > 0 || code !== 0 ? 1 : 0);
}
