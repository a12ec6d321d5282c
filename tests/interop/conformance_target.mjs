// The main object of the conformance interface, written with the npm package. A new one belongs to each session.
//
// Where the package needs care: results that hold promises are made by calling a local stub, because a native promise inside a
// result cannot be serialized; and whatever outlives a call is dup()ed within it.

import { RpcStub, RpcTarget } from "capnweb";

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// What the process counts over all sessions.
const stats = { disposed: 0, broken: 0 };

class Counter extends RpcTarget {
  #value;
  constructor(value) {
    super();
    this.#value = value;
  }
  increment(n = 1) { return this.#value += n; }
  get value() { return this.#value; }
}

class Tracked extends RpcTarget {
  #disposed;
  constructor(disposed) {
    super();
    this.#disposed = disposed;
  }
  ping() { return "pong"; }
  [Symbol.dispose]() { this.#disposed(); }
}

class Authed extends RpcTarget {
  getUserId() { return 42; }
  getUserName() { return "alice"; }
  getFriendIds() { return [7, 8, 9]; }
  getFriend(id) { return { id, name: `friend-${id}` }; }
  get profile() { return { id: 42, name: "alice", tags: ["admin", "dev"] }; }
}

// A promise that can be part of a result: what a stub of this process returns.
const promised = make => new RpcStub(make)();

export function kindOf(value) {
  if (value === null) return "null";
  const kind = typeof value;
  if (value instanceof RpcStub) return "stub";
  if (kind === "function") return "stub";
  if (kind !== "object") return kind;
  if (value instanceof Error) return `error:${value.name}`;
  if (value instanceof Date) return "date";
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `bytes:${Object.prototype.toString.call(value).slice(8, -1)}`;        // a Buffer says Uint8Array here
  }
  if (Array.isArray(value)) return "array";
  for (const [cls, name] of [
    [URL, "url"], [Headers, "headers"], [Request, "request"], [Response, "response"], [Blob, "blob"],
    [ReadableStream, "readable"], [WritableStream, "writable"],
  ]) {
    if (value instanceof cls) return name;
  }
  return "object";
}

function errorOf(type, message) {
  if (type === "AggregateError") return new AggregateError([], message);
  const types = new Map([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(cls => [cls.name, cls]));
  const error = new (types.get(type) ?? Error)(message);
  if (error.name !== type) Object.defineProperty(error, "name", { value: type, configurable: true });
  return error;
}

export class TestTarget extends RpcTarget {
  instanceField = "do-not-leak";
  #counter = new Counter(100);
  #log = [];
  #held = null;
  #lastError = null;
  #disposed = 0;
  #sink = { chunks: [], state: "none", reason: null };
  #cancelled = null;
  #peer;

  // The client's main object, for callPeer; a batch has none.
  static over(peerOf) {
    const target = new TestTarget();
    target.#peer = peerOf(target);
    return target;
  }

  // ---- properties
  get version() { return "conformance-1"; }
  get config() { return { mode: "test", nested: { deep: [10, 20, 30], flag: true } }; }
  get failing() { throw new Error("getter failed"); }
  get sharedCounter() { return this.#counter; }

  // ---- plain calls
  square(i) { return i * i; }
  add(a, b) { return a + b; }
  greet(name) { return `Hello, ${name}!`; }
  echo(value) { return value; }
  async echoLater(value, ms) { await sleep(ms); return value; }
  argCount(...args) { return args.length; }
  argKinds(...args) { return args.map(kindOf); }
  kindOf(value) { return kindOf(value); }
  sum(list) { return list.reduce((a, b) => a + b, 0); }
  generateFibonacci(n) {
    const numbers = [];
    for (let [a, b] = [0, 1]; numbers.length < n; [a, b] = [b, a + b]) numbers.push(a);
    return numbers;
  }
  returnNull() { return null; }
  returnUndefined() { return undefined; }
  returnNumber(i) { return i; }
  getList() { return [{ id: 1, name: "one" }, { id: 2, name: "two" }, { id: 3, name: "three" }]; }
  getMatrix() { return [[1, 2], [3], []]; }
  getNested() { return { a: { b: { c: [10, 20, [30]] } }, s: "x" }; }
  bigArray(n) { return Array.from({ length: n }, (_, i) => i); }
  bigString(n) { return "x".repeat(n); }
  makeDeep(n) {
    let value = "bottom";
    for (let i = 0; i < n; i++) value = [value];
    return value;
  }
  allTypes() {
    return {
      nul: null, undef: undefined, t: true, f: false, int: 42, neg: -7, frac: 1.5, big: Number.MAX_SAFE_INTEGER,
      inf: Infinity, ninf: -Infinity, nan: NaN, str: "h\u00e9llo \u{1f600}",
      bigint: 123456789012345678901234567890n, date: new Date(1700000000000), bad: new Date(NaN),
      bytes: new Uint8Array([0, 1, 254, 255]), i16: new Int16Array([-1, 258]), f64: new Float64Array([0.5]),
      arr: [], nested: [[1], [], [[2]]], obj: {}, url: new URL("https://example.com/p?q=1"),
      headers: new Headers([["X-A", "1"], ["x-b", "2"]]), err: new RangeError("inner"),
    };
  }

  // ---- errors
  throwError() { throw new RangeError("test error"); }
  throwNamed(type, message) { throw errorOf(type, message); }
  throwRich() {
    const error = new TypeError("rich error", { cause: new Error("root cause") });
    error.code = 42;
    error.details = { list: [1, "two"], when: new Date(0) };
    throw error;
  }
  throwAggregate() { throw new AggregateError([new RangeError("e1"), new Error("e2")], "many"); }
  throwValue(value) { throw value; }
  async rejectLater(message, ms) { await sleep(ms); throw new Error(message); }
  returnUnserializable() { return new Map([["a", 1]]); }

  // ---- capabilities
  callSquare(stub, i) { return { result: stub.square(i) }; }
  async callFunction(fn, i) { return { result: await fn(i) }; }
  async callMany(fn, n) {
    const results = [];
    for (let i = 0; i < n; i++) results.push(await fn(i));
    return results;
  }
  callLater(fn, ms, arg) {
    const kept = fn.dup();
    setTimeout(async () => {
      try { await kept(arg); } catch { /* the client has gone */ } finally { kept[Symbol.dispose](); }
    }, ms);
    return null;
  }
  useAfterReturn(fn, ms) {
    setTimeout(async () => {
      try {
        await fn(1);
        this.#lastError = "no error";
      } catch (error) {
        this.#lastError = error.message;
      }
    }, ms);
    return null;
  }
  lastError() { return this.#lastError; }
  makeCounter(i) { return new Counter(i); }
  incrementCounter(counter, n = 1) { return counter.increment(n); }
  getCounterPair() { return { a: new Counter(1), b: new Counter(2) }; }
  getSameCounterTwice() {
    const counter = new Counter(5);
    return [counter, counter];
  }
  makeAdder(n) { return x => x + n; }
  returnStub(stub) { return stub.dup(); }
  returnStubIn(stub) { return { stub: stub.dup() }; }
  hold(fn) {
    this.#held?.[Symbol.dispose]();
    this.#held = fn.dup();
    return null;
  }
  callHeld(x) { return this.#held(x); }
  dropHeld() {
    this.#held?.[Symbol.dispose]();
    this.#held = null;
    return null;
  }
  #tracked() {
    return new Tracked(() => { this.#disposed++; stats.disposed++; });
  }
  makeTracked() { return this.#tracked(); }
  makeTrackedTwice() {
    const tracked = this.#tracked();
    return { a: tracked, b: tracked };
  }
  disposedCount() { return this.#disposed; }
  watchBroken(stub) {
    stub.dup().onRpcBroken(() => stats.broken++);
    return null;
  }
  globalStats() { return { ...stats }; }
  appendLog(x) { return this.#log.push(x); }
  getLog() { return [...this.#log]; }
  laterInside(ms, value) { return { now: value, later: promised(async () => { await sleep(ms); return value; }) }; }
  async deferredCounter(ms, i) { await sleep(ms); return new Counter(i); }
  callPeer(x) {
    if (!this.#peer) throw new Error("This connection has no main object.");
    return this.#peer.onPeerCall(x);
  }
  authenticate(token) {
    if (token !== "secret") throw new Error("invalid token");
    return new Authed();
  }

  // ---- streams and blobs
  makeSink() {
    const sink = this.#sink = { chunks: [], state: "open", reason: null };
    return new WritableStream({
      write(chunk) { sink.chunks.push(chunk); },
      close() { sink.state = "closed"; },
      abort(reason) { sink.state = "aborted"; sink.reason = String(reason?.message ?? reason); },
    });
  }
  sinkState() { return { ...this.#sink, chunks: [...this.#sink.chunks] }; }
  makeFailingSink(n) {
    let count = 0;
    return new WritableStream({
      write() { if (count++ === n) throw new Error(`sink failed at ${n}`); },
    });
  }
  countdown(n) {
    return new ReadableStream({
      pull(controller) {
        if (n > 0) controller.enqueue(n--);
        else controller.close();
      },
    });
  }
  failingReadable(n) {
    let next = 0;
    return new ReadableStream({
      pull(controller) {
        if (next < n) controller.enqueue(next++);
        else controller.error(new Error("readable failed"));
      },
    });
  }
  makeCancelable() {
    this.#cancelled = null;
    return new ReadableStream({
      async pull(controller) { await sleep(5); controller.enqueue(1); },
      cancel: reason => { this.#cancelled = String(reason?.message ?? reason); },
    });
  }
  cancelState() { return this.#cancelled; }
  async collect(readable) {
    const chunks = [];
    for await (const chunk of readable) chunks.push(chunk);
    return chunks;
  }
  async collectBytes(readable) {
    let [chunks, total, sum] = [0, 0, 0];
    for await (const chunk of readable) {
      chunks++;
      total += chunk.length;
      for (const byte of chunk) sum = (sum + byte) >>> 0;
    }
    return { chunks, total, sum };
  }
  passReadable(readable) {
    // A TransformStream's end is not serializable in Node: its prototype is not ReadableStream's own.
    const reader = readable.getReader();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: reason => reader.cancel(reason),
    });
  }
  async drainTo(writable, items) {
    const writer = writable.getWriter();
    for (const item of items) await writer.write(item);
    await writer.close();
    return items.length;
  }
  async abortTo(writable, reason) {
    await writable.abort(new Error(reason));
    return null;
  }
  makeBlob(text, type) { return new Blob([text], { type }); }
  echoBlob(blob) { return blob; }
  async blobInfo(blob) { return { type: blob.type, size: blob.size, text: await blob.text() }; }
}
