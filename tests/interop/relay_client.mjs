// What test_relay.py has a client do, step by step, through a relay to a conformance server. Whatever a step gets it gives
// back, so that afterwards nobody holds anything of it.
//
//     node relay_client.mjs ws://127.0.0.1:PORT/
//
// Prints `ready`; then, for each name of a step that it reads, `ok` or `not ok: why`. `steps` and `more` print their names.

import assert from "node:assert/strict";
import readline from "node:readline";
import { newWebSocketRpcSession, RpcStub, RpcTarget } from "capnweb";
import { WebSocket } from "./accounts.mjs";
import { eventually } from "./conformance_checks.mjs";

process.on("unhandledRejection", () => {});    // of writes that nobody waits for

class Peer extends RpcTarget {
  onPeerCall(x) { return x * 10; }
}

const api = newWebSocketRpcSession(new WebSocket(process.argv[2], { perMessageDeflate: false }), new Peer());

const dispose = (...held) => held.forEach(it => it[Symbol.dispose]());
const drain = async readable => {
  const chunks = [];
  for await (const chunk of readable) chunks.push(chunk);
  return chunks;
};

// A readable of the chunks that knows how it ended; with an error, it fails behind them.
const source = (chunks, error) => {
  const seen = { given: 0, cancelled: null };
  const stream = new ReadableStream({
    pull(controller) {
      if (seen.given < chunks.length) controller.enqueue(chunks[seen.given++]);
      else if (error) controller.error(error);
      else controller.close();
    },
    cancel(reason) { seen.cancelled = String(reason?.message ?? reason); },
  }, { highWaterMark: 0 });
  return { seen, stream };
};

const sink = gate => {
  const got = { chunks: [], end: null };
  const stream = new WritableStream({
    async write(chunk) { await gate?.(got); got.chunks.push(chunk); },
    close() { got.end = "closed"; },
    abort(reason) { got.end = String(reason?.message ?? reason); },
  });
  return { got, stream };
};

const steps = {
  async "a result is read"() { assert.deepEqual(await drain(await api.countdown(5)), [5, 4, 3, 2, 1]); },
  async "a result that fails"() {
    await assert.rejects(async () => await drain(await api.failingReadable(2)), /readable failed/);
  },
  async "a result is cancelled while it is read"() {
    const reader = (await api.makeCancelable()).getReader();
    await reader.read();
    await reader.cancel(new Error("enough"));
    await eventually(async () => typeof await api.cancelState(), "string");
  },
  async "a result is disposed unread"() {
    const readable = await api.makeCancelable();
    dispose(readable);
    await eventually(async () => typeof await api.cancelState(), "string");
  },
  async "a result is given up before it has been asked for"() {
    dispose(api.makeCancelable());
    await eventually(async () => typeof await api.cancelState(), "string");
  },
  async "a result is given up before it has come"() {
    const promise = api.makeCancelable();
    promise.catch(() => {});
    dispose(promise);
    await eventually(async () => typeof await api.cancelState(), "string");
  },
  async "an argument is read"() {
    assert.deepEqual(await api.collect(source([1, "two", { three: [3] }, null]).stream), [1, "two", { three: [3] }, null]);
  },
  async "an argument larger than the windows"() {
    const chunk = new Uint8Array(100_000).fill(1);
    assert.deepEqual(
      await api.collectBytes(source(Array(30).fill(chunk)).stream), { chunks: 30, total: 3_000_000, sum: 3_000_000 });
  },
  async "an argument that fails"() {
    await assert.rejects(
      async () => await api.collect(source([1, 2], new RangeError("source failed")).stream),
      { name: "RangeError", message: "source failed" });
  },
  async "an argument that nobody reads"() {
    const { seen, stream } = source(Array(1000).fill("x".repeat(50_000)));
    assert.equal(await api.kindOf(stream), "readable");
    await eventually(() => typeof seen.cancelled, "string");
    assert.ok(seen.given < 50, `${seen.given} chunks have left`);
  },
  async "an argument comes back"() {
    assert.deepEqual(await drain(await api.passReadable(source(["a", "b", "c"]).stream)), ["a", "b", "c"]);
  },
  async "an argument comes back and is cancelled"() {
    const { seen, stream } = source(Array(1000).fill("x".repeat(50_000)));
    const reader = (await api.passReadable(stream)).getReader();
    assert.equal((await reader.read()).value.length, 50_000);
    await reader.cancel(new Error("enough"));
    await eventually(() => typeof seen.cancelled, "string");
    assert.ok(seen.given < 100, `${seen.given} chunks have left`);
  },
  async "arguments in lists and objects"() {
    assert.equal(await api.kindOf([{ a: source([1]).stream, b: [source([2]).stream] }, new Blob(["abc"])]), "array");
  },
  async "the server writes"() {
    const { got, stream } = sink();
    assert.equal(await api.drainTo(stream, [1, 2, "three"]), 3);
    assert.deepEqual(got, { chunks: [1, 2, "three"], end: "closed" });
  },
  async "the server aborts"() {
    const { got, stream } = sink();
    await api.abortTo(stream, "no more");
    await eventually(() => got, { chunks: [], end: "no more" });
  },
  async "the server writes to what fails"() {
    const { stream } = sink(got => { if (got.chunks.length) throw new RangeError("full"); });
    await assert.rejects(async () => await api.drainTo(stream, [1, 2, 3]), /full|errored|closed/);
  },
  async "the client writes"() {
    const writable = await api.makeSink();
    const writer = writable.getWriter();
    for (const chunk of ["a", { b: [1] }, "c".repeat(300_000)]) await writer.write(chunk);
    await writer.close();
    assert.deepEqual(await api.sinkState(), { chunks: ["a", { b: [1] }, "c".repeat(300_000)], state: "closed", reason: null });
  },
  async "the client aborts"() {
    const writer = (await api.makeSink()).getWriter();
    await writer.write(1);
    await writer.abort(new Error("changed my mind"));
    await eventually(() => api.sinkState(), { chunks: [1], state: "aborted", reason: "changed my mind" });
  },
  async "the client writes to what fails"() {
    const writer = (await api.makeFailingSink(1)).getWriter();
    writer.closed.catch(() => {});
    await assert.rejects(async () => {
      for (let i = 0; i < 1000; i++) {
        await writer.write(i);
        await new Promise(resolve => setTimeout(resolve, 1));
      }
    }, /sink failed at 1/);
  },
  async "blobs"() {
    const large = new Blob([new Uint8Array(700_000).fill(7)], { type: "a/b" });
    assert.deepEqual(await api.blobInfo(new Blob(["abc"], { type: "text/x" })), { type: "text/x", size: 3, text: "abc" });
    const [made, empty, echoed] = await Promise.all([api.makeBlob("h\u00e9", "t/p"), api.makeBlob("", ""), api.echoBlob(large)]);
    assert.deepEqual([await made.text(), empty.size, echoed.type], ["h\u00e9", 0, "a/b"]);
    assert.ok(Buffer.from(await echoed.arrayBuffer()).equals(Buffer.from(await large.arrayBuffer())));
  },
  async "bodies that nobody reads"() {
    const { seen, stream } = source(Array(1000).fill(new Uint8Array(50_000)));
    assert.equal(await api.kindOf(new Request("https://example.com/", { method: "POST", body: stream, duplex: "half" })), "request");
    await eventually(() => typeof seen.cancelled, "string");
    const answer = source(Array(1000).fill(new Uint8Array(50_000)));
    assert.equal(await api.kindOf(new Response(answer.stream, { status: 201 })), "response");
    await eventually(() => typeof answer.seen.cancelled, "string");
  },
  async "calls and callbacks"() {
    assert.deepEqual(await api.callFunction(x => x + 1, 1), { result: 2 });
    assert.equal(await api.callPeer(4), 40);
    const [counter, adder] = await Promise.all([api.makeCounter(3), api.makeAdder(5)]);
    assert.deepEqual([await counter.increment(2), await adder(1)], [5, 6]);
    const numbers = api.generateFibonacci(5);
    assert.deepEqual(await numbers.map(i => api.add(i, 1)), [1, 2, 2, 3, 4]);
    dispose(counter, adder, numbers);
  },
};

// What the reference's own server cannot do: it gives up capabilities in chunks too early, and in Node it cannot send on a
// stream that came in.
const more = {
  async "a capability in a chunk"() {
    const counter = await api.makeCounter(3);
    const readable = await api.passReadable(source([{ counter }]).stream);
    const [{ counter: back }] = await drain(readable);
    assert.equal(await back.increment(4), 7);
    dispose(back, counter);
  },
  async "a call on a result that has not come takes a stream"() {
    const stub = new RpcStub({ collect: readable => drain(readable) });
    const back = api.returnStub(stub);
    assert.deepEqual(await back.collect(source([1, 2, 3]).stream), [1, 2, 3]);
    dispose(back, stub);
  },
};

console.log("ready");
for await (const name of readline.createInterface({ input: process.stdin })) {
  if (name === "steps" || name === "more") {
    console.log(JSON.stringify(Object.keys(name === "steps" ? steps : more)));
    continue;
  }
  try {
    await { ...steps, ...more }[name]();
    await api.square(1);
    console.log("ok");
  } catch (error) {
    console.log(`not ok: ${String(error?.stack ?? error).split("\n").slice(0, 10).join(" | ")}`);
  }
}
process.exit(0);
