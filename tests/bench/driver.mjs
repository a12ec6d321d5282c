// What the measured Node clients share: the npm package, the command line, the clock. The twin of driver.py.
import fs from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

const require = createRequire(new URL("../interop/", import.meta.url));
const { WebSocket } = require("ws");
globalThis.WebSocket ??= WebSocket; // Node 20 has none
export const { newWebSocketRpcSession, newHttpBatchRpcSession } = require("capnweb");
export { WebSocket };

export const options = { dur: 2, warm: 0.4, cycles: 100_000, mib: 256, srvpid: 0 };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
for (const name of ["dur", "warm", "cycles", "mib", "srvpid"]) options[name] = Number(options[name]);

export const now = () => performance.now() / 1e3;

export function cpuSeconds(process) {
  try {
    const fields = fs.readFileSync(`/proc/${process}/stat`, "ascii").split(")").pop().trim().split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100; // Linux counts hundredths, whatever the machine
  } catch { return 0; }
}

export function resident(process) {
  try { return Number(/VmRSS:\s*(\d+) kB/.exec(fs.readFileSync(`/proc/${process}/status`, "utf8"))[1]) * 1.024e-3; }
  catch { return 0; }
}

export async function repeat(step, seconds) {
  const took = [];
  let at = now();
  const end = at + seconds;
  while (took.length === 0 || at < end) {
    await step();
    const before = at;
    at = now();
    took.push(at - before);
  }
  return took;
}

export function percentiles(took) {
  const ordered = Float64Array.from(took).sort();
  return { p50_us: ordered[ordered.length >> 1] * 1e6, p99_us: ordered[Math.floor(ordered.length * 0.99)] * 1e6 };
}

export function clock() {
  const started = now(), client = cpuSeconds(process.pid), server = cpuSeconds(options.srvpid);
  return count => {
    const dt = now() - started;
    return {
      n: count, dt, rate: count / dt,
      cli_cpu_us: (cpuSeconds(process.pid) - client) / count * 1e6,
      srv_cpu_us: (cpuSeconds(options.srvpid) - server) / count * 1e6,
    };
  };
}

export function source(total, size = 65536) {
  const chunk = new Uint8Array(size).fill(0xab);
  let left = total / size;
  return new ReadableStream({
    pull(controller) { if (left-- > 0) controller.enqueue(chunk); else controller.close(); },
  });
}

export function print(figures) {
  fs.writeSync(1, JSON.stringify(figures) + "\n");
  process.exit(0);
}
