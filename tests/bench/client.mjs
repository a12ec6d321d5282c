// Measures one workload with the npm package: node --expose-gc client.mjs --port P --srvpid N --wl W --dur S prints one
// JSON line. The workloads are those of driver.py.
import * as driver from "./driver.mjs";

const { options, repeat } = driver;
const address = `127.0.0.1:${options.port}/rpc`;
const api = driver.newWebSocketRpcSession(new driver.WebSocket(`ws://${address}`));
const items = Array.from({ length: 100 }, (_, i) => (
  { id: i, name: `User Number ${i}`, email: `user${i}@example.com`, tags: ["alpha", "beta"], score: i * 1.5 + 0.25 }
));
const score = list => list.reduce((sum, item) => sum + item.score, 0);
const total = score(items);
const many = (call, count) => Promise.all(Array.from({ length: count }, call));
const add = () => api.add(1, 2);
const chain = () => api.authenticate("token").get_profile(5);

async function echo() {
  if (score(await api.echo(items)) !== total) throw new Error("the echo differs from what was sent");
}

async function churn() {
  const capability = await api.make();
  await capability.ping();
  capability[Symbol.dispose]();
}

async function batch() {
  const session = driver.newHttpBatchRpcSession(`http://${address}`);
  const sums = await Promise.all(Array.from({ length: 100 }, (_, i) => session.add(i, 1)));
  if (sums.some((sum, i) => sum !== i + 1)) throw new Error("the batch has wrong sums");
}

async function cycles(count) {
  let done = 0;
  for (; done < count; done += 64) await many(churn, 64);
  return done;
}

async function settle() {
  globalThis.gc?.();
  await api.usage();
  globalThis.gc?.();
  return [driver.resident(process.pid), driver.resident(options.srvpid)];
}

async function measureChurn() {
  await cycles(Math.min(5000, options.cycles));
  const [cli_rss0, srv_rss0] = await settle();
  const stop = driver.clock();
  const figures = stop(await cycles(options.cycles));
  const [cli_rss1, srv_rss1] = await settle();
  return { ...figures, cli_rss0, srv_rss0, cli_rss1, srv_rss1 };
}

async function measureStream() {
  await api.sink(driver.source(4 << 20));
  const bytes = options.mib * 1048576;
  const stop = driver.clock();
  if (await api.sink(driver.source(bytes)) !== bytes) throw new Error("bytes were lost");
  const figures = stop(bytes / 65536);
  return { ...figures, MBps: bytes / figures.dt / 1e6 };
}

const steps = {
  a: [add, 1],
  b64: [() => many(add, 64), 64],
  b1000: [() => many(add, 1000), 1000],
  c: [() => many(chain, 64), 64],
  d: [echo, 1],
  e: [batch, 100],
  f: [() => many(churn, 64), 64],
};

async function measure() {
  if (options.wl === "g") return measureStream();
  if (options.wl === "f100k") return measureChurn();
  const [step, weight] = steps[options.wl];
  if (options.wl in { a: 1, b64: 1, b1000: 1 } && await api.add(30, 12) !== 42) throw new Error("the sum is wrong");
  await repeat(step, options.warm);
  const stop = driver.clock();
  const took = await repeat(step, options.dur);
  return { ...stop(took.length * weight), ...driver.percentiles(took) };
}

driver.print({ wl: options.wl, ...await measure() });
