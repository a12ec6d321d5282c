// Checks of streams and blobs, for conformance_client.mjs.

import assert from "node:assert/strict";
import { eventually } from "./conformance_checks.mjs";

const drain = async readable => {
  const chunks = [];
  for await (const chunk of readable) chunks.push(chunk);
  return chunks;
};

const readableOf = (...chunks) => new ReadableStream({
  pull(controller) {
    if (chunks.length) controller.enqueue(chunks.shift());
    else controller.close();
  },
});

const collector = () => {
  const got = { chunks: [], state: "open", reason: null };
  const stream = new WritableStream({
    write(chunk) { got.chunks.push(chunk); },
    close() { got.state = "closed"; },
    abort(reason) { got.state = "aborted"; got.reason = reason?.message ?? String(reason); },
  });
  return { got, stream };
};

export const streams = {
  async "a readable is read to its end"({ call }) { assert.deepEqual(await drain(await call(api => api.countdown(4))), [4, 3, 2, 1]); },
  async "an empty readable ends"({ call }) { assert.deepEqual(await drain(await call(api => api.countdown(0))), []); },
  async "a readable that fails gives its chunks, then the error"({ call }) {
    const chunks = [];
    const readable = await call(api => api.failingReadable(2));
    await assert.rejects(async () => { for await (const chunk of readable) chunks.push(chunk); }, /readable failed/);
    // an error overtakes chunks that have not been read
    assert.deepEqual(chunks, [0, 1].slice(0, chunks.length));
  },
  async "cancelling a readable tells the server"({ connect }) {
    const api = connect();
    assert.equal(await api.cancelState(), null);
    const readable = await api.makeCancelable();
    const reader = readable.getReader();
    assert.deepEqual(await reader.read(), { value: 1, done: false });
    await reader.cancel(new Error("enough"));
    await eventually(async () => typeof await api.cancelState(), "string");
  },
  async "a readable of the client is collected"({ call }) {
    assert.deepEqual(await call(api => api.collect(readableOf(1, "two", { three: [3] }, null))), [1, "two", { three: [3] }, null]);
  },
  async "an empty readable of the client is collected"({ call }) { assert.deepEqual(await call(api => api.collect(readableOf())), []); },
  async "a failing readable of the client rejects the call"({ call }) {
    const failing = new ReadableStream({ start(controller) { controller.error(new RangeError("source failed")); } });
    await assert.rejects(async () => await call(api => api.collect(failing)), { message: "source failed" });
  },
  async "bytes are counted"({ call }) {
    const chunk = new Uint8Array(50_000).fill(3);
    assert.deepEqual(await call(api => api.collectBytes(readableOf(...Array(20).fill(chunk)))), { chunks: 20, total: 1_000_000, sum: 3_000_000 });
  },
  async "more than the window passes"({ call }) {
    const chunk = new Uint8Array(300_000);
    assert.deepEqual(await call(api => api.collectBytes(readableOf(chunk, chunk, chunk))), { chunks: 3, total: 900_000, sum: 0 });
  },
  async "a readable passes through the server"({ call }) {
    assert.deepEqual(await drain(await call(api => api.passReadable(readableOf("a", "b", "c")))), ["a", "b", "c"]);
  },
  async "a readable has its kind"({ call }) { assert.equal(await call(api => api.kindOf(readableOf())), "readable"); },
  async "a writable has its kind"({ call }) { assert.equal(await call(api => api.kindOf(new WritableStream())), "writable"); },
  async "a writable takes chunks and is closed"({ connect }) {
    const api = connect();
    assert.deepEqual(await api.sinkState(), { chunks: [], state: "none", reason: null });
    const sink = await api.makeSink();
    assert.equal((await api.sinkState()).state, "open");
    const writer = sink.getWriter();
    await writer.write("a");
    await writer.write({ b: [1] });
    await writer.close();
    assert.deepEqual(await api.sinkState(), { chunks: ["a", { b: [1] }], state: "closed", reason: null });
  },
  async "a writable is aborted with a reason"({ connect }) {
    const api = connect();
    const writer = (await api.makeSink()).getWriter();
    await writer.write(1);
    await writer.abort(new Error("changed my mind"));
    await eventually(() => api.sinkState(), { chunks: [1], state: "aborted", reason: "changed my mind" });
  },
  async "a failed write fails the writable"({ call }) {
    const writer = (await call(api => api.makeFailingSink(1))).getWriter();
    writer.closed.catch(() => {});
    await assert.rejects(async () => {
      for (let i = 0; i < 1000; i++) {
        await writer.write(i);
        await new Promise(resolve => setTimeout(resolve, 1));
      }
    }, /sink failed at 1/);
  },
  async "the server writes to a writable of the client"({ call }) {
    const { got, stream } = collector();
    assert.equal(await call(api => api.drainTo(stream, [1, 2, "three"])), 3);
    assert.deepEqual(got, { chunks: [1, 2, "three"], state: "closed", reason: null });
  },
  async "the server aborts a writable of the client"({ call }) {
    const { got, stream } = collector();
    assert.equal(await call(api => api.abortTo(stream, "no more")), null);
    assert.deepEqual([got.state, got.reason], ["aborted", "no more"]);
  },
  async "a sink that fails in the client rejects the server's call"({ call }) {
    const stream = new WritableStream({ write() { throw new RangeError("full"); } });
    await assert.rejects(async () => await call(api => api.drainTo(stream, [1, 2, 3])), /full|errored|closed/);
  },
  async "a blob is a result"({ call }) {
    const blob = await call(api => api.makeBlob("h\u00e9llo", "text/plain"));
    assert.deepEqual([blob.size, blob.type, await blob.text()], [6, "text/plain", "h\u00e9llo"]);
  },
  async "an empty blob is a result"({ call }) {
    const blob = await call(api => api.makeBlob("", ""));
    assert.deepEqual([blob.size, blob.type], [0, ""]);
  },
  async "a blob is an argument"({ call }) {
    assert.deepEqual(await call(api => api.blobInfo(new Blob(["abc"], { type: "text/x" }))), { type: "text/x", size: 3, text: "abc" });
    assert.equal(await call(api => api.kindOf(new Blob(["abc"]))), "blob");
  },
  async "a large blob comes back"({ call }) {
    const blob = await call(api => api.echoBlob(new Blob([new Uint8Array(400_000).fill(7)])));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    assert.ok(bytes.length === 400_000 && bytes.every(byte => byte === 7));
  },
  async "a request with a body is an argument"({ call }) {
    const request = new Request("https://example.com/", { method: "POST", body: "payload" });
    const echoed = await call(api => api.kindOf(request));
    assert.equal(echoed, "request");
  },
};
