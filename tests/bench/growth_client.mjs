// Measures how one thing grows, with the npm package: node --expose-gc growth_client.mjs --what W --port P --sizes N,M
// prints one JSON line. The twin of growth_client.py, which says what is measured.
import * as driver from "./driver.mjs";

const { options, repeat, percentiles, now } = driver;
const sizes = options.sizes.split(",").map(Number);
const sequential = (options.sequential ?? "").split(",").map(Number);
const open = () => driver.newWebSocketRpcSession(new driver.WebSocket(`ws://127.0.0.1:${options.port}/rpc`));
const api = open();
const times = (count, make) => Promise.all(Array.from({ length: count }, (_, i) => make(i)));

async function hold(held, size) {
  while (held.length < size) held.push(...await api.make_many(Math.min(1000, size - held.length)));
}

async function opened(count) {
  const apis = [];
  while (apis.length < count) {
    apis.push(...await times(Math.min(50, count - apis.length), async () => {
      const one = open();
      await one.add(1, 2);
      return { one }; // bare, a stub would be taken for a promise
    }));
  }
  return apis.map(({ one }) => one);
}

async function memory() {
  globalThis.gc?.();
  const { rss, heap } = await api.usage();
  globalThis.gc?.();
  const own = process.memoryUsage();
  return { client_kb: own.rss / 1e3, server_kb: rss * 1e3,
           client_heap_kb: (own.heapUsed + own.external) / 1e3, server_heap_kb: heap * 1e3 };
}

function perUnit(before, after, size) {
  return { size, ...Object.fromEntries(Object.entries(after).map(([name, late]) => [name, (late - before[name]) / size])) };
}

const measurements = {
  async exports() {
    const held = [], points = [];
    for (const size of sizes) {
      await hold(held, size);
      const pings = () => times(64, i => held[Math.floor(i * size / 64)].ping());
      await repeat(pings, options.dur); // the first sizes would measure the compiler else
      points.push({ size, us: percentiles(await repeat(pings, options.dur)).p50_us / 64 });
    }
    return points;
  },

  async capabilities() {
    const held = [];
    await hold(held, 1000);
    const before = await memory();
    await hold(held, 1000 + sizes[0]);
    const after = await memory();
    held[0].ping(); // still held
    return [perUnit(before, after, sizes[0])];
  },

  async sessions() {
    const apis = await opened(50);
    const before = await memory();
    apis.push(...await opened(sizes[0]));
    const after = await memory();
    apis[0].add(1, 2); // still held
    return [perUnit(before, after, sizes[0])];
  },

  async connections() {
    const apis = await opened(sizes[0]);
    let took, elapsed;
    for (const seconds of [options.dur / 4, options.dur]) {
      const began = now();
      took = (await times(apis.length, i => repeat(() => apis[i].add(1, 2), seconds))).flat();
      elapsed = now() - began;
    }
    return [{ size: sizes[0], rate: took.length / elapsed, ...percentiles(took) }];
  },

  async busy() {
    const add = () => api.add(1, 2);
    await repeat(add, options.dur / 4);
    const alone = percentiles(await repeat(add, options.dur));
    const began = now(), took = [];
    let bytes = 0;
    const stream = api.sink(driver.source(sizes[0] * 1048576)).then(count => { bytes = count; });
    while (bytes === 0) took.push(...await repeat(add, 0));
    await stream;
    return [{ size: 0, ...alone }, { size: sizes[0], MBps: bytes / 1e6 / (now() - began), ...percentiles(took) }];
  },

  async payload() {
    const points = [];
    for (const size of sizes) {
      const data = new Uint8Array(size).fill(0xab), text = "x".repeat(size);
      const echoes = { bytes_us: () => api.echo_bytes(data), text_us: () => api.echo_text(text) };
      const point = { size };
      for (const [kind, echo] of Object.entries(echoes)) {
        if ((await echo()).length !== size) throw new Error("bytes were lost");
        point[kind] = percentiles(await repeat(echo, options.dur)).p50_us;
      }
      points.push(point);
    }
    return points;
  },

  async pipeline() {
    const points = [], first = await api.start();
    for (const depth of sizes) {
      const pipelined = async () => {
        let step = first;
        for (let i = 1; i < depth; i++) step = step.next();
        if (await step.depth() !== depth) throw new Error("the chain is not as long as it was made");
      };
      const oneByOne = async () => {
        let step = first;
        for (let i = 1; i < depth; i++) step = await step.next();
        await step.depth();
      };
      const took = [];
      for (let i = 0; i < 5; i++) took.push(...await repeat(pipelined, 0));
      const point = { size: depth, pipelined_ms: percentiles(took).p50_us / 1e3 };
      if (sequential.includes(depth)) point.sequential_ms = (await repeat(oneByOne, 0))[0] * 1e3;
      points.push(point);
    }
    return points;
  },
};

driver.print({ points: await measurements[options.what]() });
