// Measures one workload with the npm package: node client.mjs --port P --wl W --dur S prints one JSON line; see client.py.
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

const require = createRequire(new URL("../interop/", import.meta.url));
const { WebSocket } = require("ws");
globalThis.WebSocket ??= WebSocket; // Node 20 has none
const { newWebSocketRpcSession, newHttpBatchRpcSession } = require("capnweb");

const options = { dur: 2, mib: 64 };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
const address = `127.0.0.1:${options.port}/rpc`;
const api = newWebSocketRpcSession(new WebSocket(`ws://${address}`));
const items = Array.from({ length: 100 }, (_, i) => (
  { id: i, name: `User Number ${i}`, email: `user${i}@example.com`, tags: ["alpha", "beta"], score: i * 1.5 + 0.25 }
));
const now = () => performance.now() / 1e3;

async function churn() {
  const capability = await api.make();
  await capability.ping();
  capability[Symbol.dispose]();
}

function batch() {
  const session = newHttpBatchRpcSession(`http://${address}`);
  return Promise.all(Array.from({ length: 100 }, (_, i) => session.add(i, 1)));
}

async function stream() {
  const chunk = new Uint8Array(65536).fill(0xab);
  let left = options.mib * 16;
  const total = await api.sink(new ReadableStream({
    pull(controller) { if (left-- > 0) controller.enqueue(chunk); else controller.close(); },
  }));
  if (total !== options.mib * 1048576) throw new Error("bytes were lost");
}

async function rate(call, inFlight, seconds) {
  const started = now();
  let done = 0;
  while (now() < started + seconds) {
    if (inFlight === 1) await call();
    else await Promise.all(Array.from({ length: inFlight }, call));
    done += inFlight;
  }
  return done / (now() - started);
}

const calls = {
  a: [() => api.add(1, 2), 1, 1],
  b64: [() => api.add(1, 2), 64, 1],
  b1000: [() => api.add(1, 2), 1000, 1],
  c: [() => api.authenticate("token").get_profile(5), 64, 1],
  d: [() => api.echo(items), 1, 1],
  e: [batch, 1, 100],
  f: [churn, 64, 1],
};

let figure;
if (options.wl === "g") {
  const started = now();
  await stream();
  figure = options.mib * 1.048576 / (now() - started);
} else {
  const [call, inFlight, weight] = calls[options.wl];
  await rate(call, inFlight, options.dur / 4);
  figure = await rate(call, inFlight, Number(options.dur)) * weight;
}
console.log(JSON.stringify({ wl: options.wl, rate: figure }));
process.exit(0);
