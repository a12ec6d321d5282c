// Checks any server of the conformance interface with the npm package, over WebSocket and HTTP batch.
//
//     node conformance_client.mjs ws://127.0.0.1:PORT/            the http URL is made from it
//     node conformance_client.mjs --batches http://127.0.0.1:PORT/     over HTTP batch alone
//
// Prints `ok N name` or `not ok N name: why` for each check, then `X passed, Y failed`; the exit code is 1 if any failed.

import { newHttpBatchRpcSession, newWebSocketRpcSession } from "capnweb";
import { WebSocket } from "./accounts.mjs";
import { batchOnly, both, overWebSocket } from "./conformance_checks.mjs";
import { onTheWire } from "./conformance_checks_wire.mjs";
import { streams } from "./conformance_checks_streams.mjs";

const PATIENCE = 10_000;                       // milliseconds that one check may take
const batchesAlone = process.argv.includes("--batches");
const url = new URL(process.argv.slice(2).find(argument => argument !== "--batches") ?? "ws://127.0.0.1:8080/");
const wsUrl = url.href.replace(/^http/, "ws");
const httpUrl = url.href.replace(/^ws/, "http");

process.on("unhandledRejection", reason => console.error("unhandled rejection:", reason));

const endsOfCheck = [];
const atEnd = end => endsOfCheck.push(end);

// A session of its own for a check.
function connect(main) {
  const socket = new WebSocket(wsUrl, { perMessageDeflate: false });
  const api = newWebSocketRpcSession(socket, main);
  atEnd(() => { api[Symbol.dispose](); socket.close(); });
  return api;
}

// A connection without a session: messages are written and read as they are.
async function wire() {
  const socket = new WebSocket(wsUrl, { perMessageDeflate: false });
  const texts = [], waiting = [];
  let gone = null;
  const settle = () => {
    while (waiting.length && (texts.length || gone)) waiting.shift()(texts.length ? texts.shift() : null);
  };
  socket.on("message", data => { texts.push(data.toString()); settle(); });
  socket.on("error", () => {});
  const closed = new Promise(resolve => socket.on("close", (code, reason) => {
    gone = { code, reason: reason.toString() };
    settle();
    resolve(gone);
  }));
  await new Promise((resolve, reject) => { socket.once("open", resolve); socket.once("error", reject); });
  atEnd(() => socket.close());
  const connection = {
    closed, socket,
    send(...messages) { for (const message of messages) socket.send(JSON.stringify(message)); },
    raw(text) { socket.send(text); },
    text() { return new Promise(resolve => { waiting.push(resolve); settle(); }); },
    async next() {
      const text = await connection.text();
      return text === null ? null : JSON.parse(text);
    },
    // The next message of a kind; others are left out.
    async wait(...kinds) {
      for (;;) {
        const message = await connection.next();
        if (message === null) throw new Error(`the connection was closed while waiting for ${kinds}`);
        if (kinds.includes(message[0])) return message;
      }
    },
    // Makes one call and returns the answer to it: the id is that of the call.
    async call(id, expression) {
      connection.send(["push", expression], ["pull", id]);
      return connection.wait("resolve", "reject", "abort");
    },
  };
  return connection;
}

async function post(body, method = "POST") {
  const response = await fetch(httpUrl, method === "POST" ? { method, body } : { method });
  return { status: response.status, text: await response.text() };
}

let shared;
const session = () => shared ??= newWebSocketRpcSession(new WebSocket(wsUrl, { perMessageDeflate: false }));
const inSession = { call: make => make(session()), connect, wire, post };
const inBatch = { call: make => make(newHttpBatchRpcSession(httpUrl)), connect, wire, post };

let number = 0, passed = 0;
async function run(checks, context, suffix = "") {
  for (const [name, check] of Object.entries(checks)) {
    number++;
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("took too long")), PATIENCE); });
    try {
      await Promise.race([(async () => check(context))(), late]);
      passed++;
      console.log(`ok ${number} ${name}${suffix}`);
    } catch (error) {
      const why = String(error?.stack ?? error).split("\n").slice(0, 20).join(" | ");
      console.log(`not ok ${number} ${name}${suffix}: ${why}`);
    } finally {
      clearTimeout(timer);
      for (const end of endsOfCheck.splice(0)) {
        try { end(); } catch { /* it has gone already */ }
      }
    }
  }
}

await run(both, inBatch, " (HTTP batch)");
await run(batchOnly, inBatch);
if (!batchesAlone) {
  await run(both, inSession, " (WebSocket)");
  await run(overWebSocket, inSession);
  await run(streams, inSession);
  await run(onTheWire, inSession);
}

console.log(`${passed} passed, ${number - passed} failed`);
process.exit(number > passed ? 1 : 0);
