// What a page does with the conformance interface over one transport, for test_browser.py: it asks /plan what, and posts
// what happened to /done.

import { newHttpBatchRpcSession, newWebSocketRpcSession, RpcSession } from "capnweb";
import { WebTransportTransport } from "/webtransport.mjs";

const plan = await (await fetch("/plan")).json();

const hash = () => Uint8Array.from(atob(plan.hash), character => character.charCodeAt(0));
const options = () => ({ serverCertificateHashes: [{ algorithm: "sha-256", value: hash() }] });
const overWebTransport = async () =>
  new RpcSession(await WebTransportTransport.connect(plan.url, options())).getRemoteMain();
const connect = {
  websocket: async () => newWebSocketRpcSession(plan.url),
  http: async () => newHttpBatchRpcSession(plan.url),
  webtransport: overWebTransport,
}[plan.transport];

async function drained(stream) {
  const chunks = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  return chunks;
}

const steps = {
  add: api => api.add(1, 2),
  pipelined: api => api.makeCounter(4).increment(3),
  callback: api => api.callFunction(x => x * 10, 7),
  stream: async api => drained(await api.countdown(4)),
  draining: () => whileDraining(),
  text: async api => (await api.echo("\u00e4\n\u{1F600}".repeat(100_000))).length,
};

// The server is drained once it is called, and the page is asked something by then.
async function whileDraining() {
  const session = new WebTransport(plan.url, options());
  await session.ready;
  const transport = new WebTransportTransport(session, await session.createBidirectionalStream(), 1_000_000);
  const api = new RpcSession(transport).getRemoteMain();
  const answer = await api.callFunction(x => x * 10, 7);
  return { ...answer, code: (await session.closed).closeCode };
}

async function outcomes() {
  const got = {};
  for (const name of plan.steps) {
    // A batch is sent once.
    const api = await connect();
    got[name] = await steps[name](api);
    api[Symbol.dispose]?.();
  }
  return got;
}

let outcome;
try {
  outcome = { got: await outcomes() };
} catch (error) {
  outcome = { failed: `${error?.name}: ${error?.message}` };
}
await fetch("/done", { method: "POST", body: JSON.stringify(outcome) });
