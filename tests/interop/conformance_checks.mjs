// Checks of values, errors and capabilities, for conformance_client.mjs. A check gets {call, connect, wire, post}: `call` makes one
// exchange with the server in whatever way the checks are run, `connect` opens a session of its own.

import assert from "node:assert/strict";
import { RpcStub, RpcTarget } from "capnweb";

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// Asks until the answer is the wanted one: what happens at the server after a release has no message of its own.
export async function eventually(ask, wanted) {
  for (let tries = 0; ; tries++) {
    const got = await ask();
    try {
      assert.deepEqual(got, wanted);
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(10);
    }
  }
}

// Invalid dates are not equal to each other in Node, and a Buffer is not equal to a Uint8Array: here they are.
const comparable = value => {
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof ArrayBuffer) return { ArrayBuffer: Buffer.from(value).toString("hex") };
  if (ArrayBuffer.isView(value)) {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    return { [name]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") };
  }
  if (Array.isArray(value)) return value.map(comparable);
  if (value && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
  }
  return value;
};
const same = (got, wanted) => assert.deepEqual(comparable(got), comparable(wanted));

const fails = (promise, type, message) => assert.rejects(async () => await promise, error => {
  assert.equal(error?.name, type);
  if (message instanceof RegExp) assert.match(error.message, message);
  else assert.equal(error.message, message);
  return true;
});

class Target extends RpcTarget {
  constructor(members) {
    super();
    for (const [name, value] of Object.entries(members)) {
      Object.defineProperty(Object.getPrototypeOf(this), name, { value, configurable: true });
    }
  }
}
// A target with its own class, so that methods of one are not methods of the next.
export const targetWith = members => new (class extends Target {})(members);

const roundTrips = {
  "null": null,
  "undefined": undefined,
  "true and false": [true, false],
  "text beyond ASCII": "h\u00e9llo \u{1f600} \u2028",
  "lone surrogates": "\ud800 a \udc00",
  "integers and fractions": [0, 1, -1, 1.5, -0.25, 2 ** 53, 1e21, 5e-324, 1.7976931348623157e308],
  "infinities and NaN": [Infinity, -Infinity, NaN],
  "big integers": [0n, -1n, 2n ** 64n, -(10n ** 60n)],
  "dates": [new Date(0), new Date(-1), new Date(1700000000123), new Date(NaN)],
  "dates outside of years 1 to 9999": [new Date(-8.64e15), new Date(8.64e15)],
  "bytes": [new Uint8Array([]), new Uint8Array([0, 1, 254, 255]).buffer, new Int16Array([-1, 258]), new BigUint64Array([2n ** 63n])],
  "empty containers": [[], {}, [[]], [{}], { a: [] }],
  "arrays in arrays": [[1], [[2]], [[[]]]],
  "arrays that look like expressions": ["date", 0],
  "keys that mean something to Python": { __class__: 1, __init__: 2, __dict__: 3, self: 4, "": 5 },
  "URLs": new URL("https://example.com/p?q=1#f"),
};

export const both = {
  ...Object.fromEntries(Object.entries(roundTrips).map(([name, value]) => [
    `echo gives back ${name}`,
    async ({ call }) => same(await call(api => api.echo(value)), value),
  ])),
  async "properties are read"({ call }) { assert.equal(await call(api => api.version), "conformance-1"); },
  async "a property can be an object"({ call }) {
    assert.deepEqual(await call(api => api.config), { mode: "test", nested: { deep: [10, 20, 30], flag: true } });
  },
  async "a path leads into a property"({ call }) {
    assert.deepEqual(await call(api => api.config.nested.deep), [10, 20, 30]);
  },
  async "a getter that raises rejects"({ call }) { await fails(call(api => api.failing), "Error", "getter failed"); },
  async "an instance attribute cannot be read"({ call }) {
    // It reads as undefined, or is refused by name.
    const value = await call(api => api.instanceField).then(got => got, error => {
      assert.equal(error.name, "TypeError");
      assert.match(error.message, /instanceField/);
    });
    assert.equal(value, undefined);
  },
  async "an instance attribute cannot be called"({ call }) {
    await fails(call(api => api.instanceField()), "TypeError", /instanceField/);
  },
  async "a missing property is undefined"({ call }) { assert.equal(await call(api => api.nonesuch), undefined); },
  async "one step beyond a missing property is a TypeError"({ call }) {
    await fails(call(api => api.nonesuch.x), "TypeError", "Cannot read properties of undefined (reading 'x')");
  },
  async "calling a missing method is a TypeError"({ call }) {
    await fails(call(api => api.nonesuch()), "TypeError", /^'nonesuch' is not a function/);
  },
  async "calling a missing method of a value names the path"({ call }) {
    await fails(call(api => api.config.mode.nope()), "TypeError", "'config.mode.nope' is not a function.");
  },
  async "the main cannot be called"({ call }) { await fails(call(api => api()), "TypeError", /^'' is not a function/); },
  async "names of the server's language are absent"({ call }) {
    for (const name of ["__class__", "__dict__", "__init__", "__globals__", "mro"]) {
      assert.equal(await call(api => api[name]), undefined);
      await fails(call(api => api[name]()), "TypeError", new RegExp(`^'${name}' is not a function`));
    }
  },
  async "a call with a number"({ call }) { assert.equal(await call(api => api.square(7)), 49); },
  async "a call with two arguments"({ call }) { assert.equal(await call(api => api.add(2, 3.5)), 5.5); },
  async "a call with text"({ call }) { assert.equal(await call(api => api.greet("W\u00f6rld")), "Hello, W\u00f6rld!"); },
  async "arguments are counted"({ call }) {
    assert.deepEqual(await Promise.all([
      call(api => api.argCount()), call(api => api.argCount(1, 2, 3)),
      call(api => api.argCount(undefined)), call(api => api.argCount(null, undefined)),
    ]), [0, 3, 1, 2]);
  },
  async "arguments have their kinds"({ call }) {
    const kinds = await call(api => api.argKinds(
      null, undefined, true, 1, "a", 1n, new Date(), new Uint8Array(1), [], {}, new TypeError("t"), new URL("http://a/")));
    assert.deepEqual(kinds, ["null", "undefined", "boolean", "number", "string", "bigint", "date", "bytes:Uint8Array", "array",
      "object", "error:TypeError", "url"]);
  },
  async "byte containers have their kinds"({ call }) {
    const kinds = await call(api => api.argKinds(
      new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Int8Array(8), new Uint8ClampedArray(8), new Int16Array(8),
      new Uint16Array(8), new Int32Array(8), new Uint32Array(8), new BigInt64Array(8), new BigUint64Array(8), new Float32Array(8),
      new Float64Array(8)));
    assert.deepEqual(kinds, ["ArrayBuffer", "DataView", "Int8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array",
      "Uint32Array", "BigInt64Array", "BigUint64Array", "Float32Array", "Float64Array"].map(name => `bytes:${name}`));
  },
  async "headers have their kind"({ call }) { assert.equal(await call(api => api.kindOf(new Headers([["a", "1"]]))), "headers"); },
  async "headers come back normalised"({ call }) {
    const headers = await call(api => api.echo(new Headers([["X-B", "2"], ["x-a", "1"], ["X-b", "3"]])));
    assert.deepEqual([...headers], [["x-a", "1"], ["x-b", "2, 3"]]);
  },
  async "a request without a body has its kind and comes back"({ call }) {
    const request = new Request("https://example.com/a", { method: "DELETE", headers: { "x-a": "1" } });
    assert.equal(await call(api => api.kindOf(request)), "request");
    const echoed = await call(api => api.echo(request));
    assert.deepEqual([echoed.url, echoed.method, [...echoed.headers]], [request.url, "DELETE", [["x-a", "1"]]]);
  },
  async "a response without a body has its kind and comes back"({ call }) {
    const response = () => new Response(null, { status: 204, statusText: "Nothing", headers: { "x-a": "1" } });
    assert.equal(await call(api => api.kindOf(response())), "response");
    const echoed = await call(api => api.echo(response()));
    assert.deepEqual([echoed.status, echoed.statusText, [...echoed.headers]], [204, "Nothing", [["x-a", "1"]]]);
  },
  async "an error passes as an argument"({ call }) {
    assert.equal(await call(api => api.kindOf(new RangeError("r"))), "error:RangeError");
    const echoed = await call(api => api.echo({ error: new RangeError("r") }));
    assert.deepEqual([echoed.error.name, echoed.error.message], ["RangeError", "r"]);
  },
  async "-0 is sent as 0"({ call }) { assert.ok(Object.is(await call(api => api.echo(-0)), 0)); },
  async "sums"({ call }) { assert.equal(await call(api => api.sum([1, 2, 3.5])), 6.5); },
  async "Fibonacci numbers"({ call }) {
    assert.deepEqual(await call(api => api.generateFibonacci(10)), [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
    assert.deepEqual(await call(api => api.generateFibonacci(0)), []);
  },
  async "null and undefined are results of their own"({ call }) {
    assert.equal(await call(api => api.returnNull()), null);
    assert.equal(await call(api => api.returnUndefined()), undefined);
  },
  async "a number comes back"({ call }) { assert.equal(await call(api => api.returnNumber(2.5)), 2.5); },
  async "a list of objects"({ call }) {
    assert.deepEqual(await call(api => api.getList()), [{ id: 1, name: "one" }, { id: 2, name: "two" }, { id: 3, name: "three" }]);
  },
  async "a list of lists"({ call }) { assert.deepEqual(await call(api => api.getMatrix()), [[1, 2], [3], []]); },
  async "objects in objects"({ call }) {
    assert.deepEqual(await call(api => api.getNested()), { a: { b: { c: [10, 20, [30]] } }, s: "x" });
  },
  async "a path leads into a result"({ call }) { assert.deepEqual(await call(api => api.getNested().a.b.c), [10, 20, [30]]); },
  async "large results"({ call }) {
    assert.deepEqual(await call(api => api.bigArray(5000)), Array.from({ length: 5000 }, (_, i) => i));
    assert.equal((await call(api => api.bigString(300_000))).length, 300_000);
  },
  async "255 levels pass"({ call }) {
    let value = await call(api => api.makeDeep(255)), depth = 0;
    for (; Array.isArray(value); depth++) [value] = value;
    assert.deepEqual([value, depth], ["bottom", 255]);
  },
  async "256 levels reject that call only"({ call }) {
    await fails(call(api => api.makeDeep(256)), "Error", /maximum allowed depth/);
    assert.equal(await call(api => api.square(2)), 4);
  },
  async "every type of value, in order"({ call }) {
    const { headers, err, ...rest } = await call(api => api.allTypes());
    same(rest, {
      nul: null, undef: undefined, t: true, f: false, int: 42, neg: -7, frac: 1.5, big: 9007199254740991, inf: Infinity,
      ninf: -Infinity, nan: NaN, str: "h\u00e9llo \u{1f600}", bigint: 123456789012345678901234567890n,
      date: new Date(1700000000000), bad: new Date(NaN), bytes: new Uint8Array([0, 1, 254, 255]), i16: new Int16Array([-1, 258]),
      f64: new Float64Array([0.5]), arr: [], nested: [[1], [], [[2]]], obj: {}, url: new URL("https://example.com/p?q=1"),
    });
    assert.deepEqual(Object.keys(rest), ["nul", "undef", "t", "f", "int", "neg", "frac", "big", "inf", "ninf", "nan", "str", "bigint",
      "date", "bad", "bytes", "i16", "f64", "arr", "nested", "obj", "url"]);
    assert.deepEqual([...headers], [["x-a", "1"], ["x-b", "2"]]);
    assert.ok(err instanceof RangeError);
    assert.equal(err.message, "inner");
  },

  async "an error has its type and message"({ call }) { await fails(call(api => api.throwError()), "RangeError", "test error"); },
  async "error types keep their names"({ call }) {
    for (const type of ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]) {
      await fails(call(api => api.throwNamed(type, `a ${type}`)), type, `a ${type}`);
    }
  },
  async "an error type that is not known is an Error"({ call }) {
    await fails(call(api => api.throwNamed("OwnError", "own")), "Error", "own");
    await fails(call(api => api.throwNamed("constructor", "odd")), "Error", "odd");
  },
  async "properties and cause travel with an error"({ call }) {
    const error = await call(api => api.throwRich()).then(() => assert.fail("it was fulfilled"), reason => reason);
    assert.ok(error instanceof TypeError);
    assert.deepEqual([error.message, error.code, error.details], ["rich error", 42, { list: [1, "two"], when: new Date(0) }]);
    assert.ok(error.cause instanceof Error);
    assert.equal(error.cause.message, "root cause");
  },
  async "errors of an aggregate travel with it"({ call }) {
    const error = await call(api => api.throwAggregate()).then(() => assert.fail("it was fulfilled"), reason => reason);
    assert.ok(error instanceof AggregateError);
    assert.deepEqual([error.message, error.errors.map(e => [e.name, e.message])], ["many", [["RangeError", "e1"], ["Error", "e2"]]]);
  },
  async "a later rejection"({ call }) { await fails(call(api => api.rejectLater("too late", 5)), "Error", "too late"); },
  async "a result that cannot be serialized rejects"({ call }) {
    await fails(call(api => api.returnUnserializable()), "TypeError", /^Cannot serialize value: /);
    assert.equal(await call(api => api.square(3)), 9);
  },

  async "pipelining on a capability"({ call }) {
    assert.equal(await call(api => api.authenticate("secret").getUserName()), "alice");
    assert.deepEqual(await call(api => api.authenticate("secret").profile.tags), ["admin", "dev"]);
    await fails(call(api => api.authenticate("guess").getUserName()), "Error", "invalid token");
  },
  async "a promise as an argument"({ call }) {
    assert.equal(await call(api => api.square(api.square(3))), 81);
    assert.deepEqual(await call(api => {
      const authed = api.authenticate("secret");
      return authed.getFriend(authed.getUserId());
    }), { id: 42, name: "friend-42" });
  },
  async "a promise inside an argument"({ call }) {
    assert.deepEqual(await call(api => api.echo({ a: [api.square(2)], b: api.version })), { a: [4], b: "conformance-1" });
  },
  async "a rejected promise as an argument rejects the call"({ call }) {
    await fails(call(api => api.square(api.throwError())), "RangeError", "test error");
  },
  async "map over a list"({ call }) {
    assert.deepEqual(await call(api => api.generateFibonacci(6).map(i => api.square(i))), [0, 1, 1, 4, 9, 25]);
  },
  async "map to attributes, objects and constants"({ call }) {
    assert.deepEqual(await call(api => api.getList().map(item => item.name)), ["one", "two", "three"]);
    assert.deepEqual(await call(api => api.getList().map(item => ({ n: item.id, sq: api.square(item.id), k: 7 }))),
      [{ n: 1, sq: 1, k: 7 }, { n: 2, sq: 4, k: 7 }, { n: 3, sq: 9, k: 7 }]);
  },
  async "map of what is no list applies once"({ call }) {
    assert.equal(await call(api => api.returnNumber(5).map(i => api.square(i))), 25);
    assert.equal(await call(api => api.returnNull().map(i => api.square(i))), null);
    assert.equal(await call(api => api.returnUndefined().map(i => api.square(i))), undefined);
    assert.deepEqual(await call(api => api.generateFibonacci(0).map(i => api.square(i))), []);
  },
  async "maps in maps"({ call }) {
    assert.deepEqual(await call(api => api.getMatrix().map(row => row.map(i => api.add(i, i)))), [[2, 4], [6], []]);
  },
  async "map over a capability's results"({ call }) {
    assert.deepEqual(await call(api => {
      const authed = api.authenticate("secret");
      return authed.getFriendIds().map(id => authed.getFriend(id).name);
    }), ["friend-7", "friend-8", "friend-9"]);
  },
  async "an error in one element rejects the map"({ call }) {
    await fails(call(api => api.getList().map(item => item.nope.deeper)), "TypeError", /Cannot read properties of undefined/);
  },
  async "a value that is ready next to a promise for a later one"({ call }) {
    assert.deepEqual(await call(api => api.laterInside(5, "v")), { now: "v", later: "v" });
  },
  async "a result that takes its time"({ call }) { assert.deepEqual(await call(api => api.echoLater([1], 5)), [1]); },
};

export const overWebSocket = {
  async "a stub in a result can be called, and keeps its state"({ call }) {
    const counter = await call(api => api.makeCounter(4));
    assert.equal(await counter.increment(), 5);
    assert.equal(await counter.increment(10), 15);
    assert.equal(await counter.value, 15);
    counter[Symbol.dispose]();
    await assert.rejects(async () => await counter.increment());
  },
  async "a promise of a capability to come"({ call }) {
    assert.equal(await call(api => api.deferredCounter(10, 8)).increment(), 9);
  },
  async "capabilities side by side"({ call }) {
    const pair = await call(api => api.getCounterPair());
    assert.deepEqual([await pair.a.increment(), await pair.b.increment(5)], [2, 7]);
    pair[Symbol.dispose]();
  },
  async "one capability twice in a result is one object"({ call }) {
    const pair = await call(api => api.getSameCounterTwice());
    assert.equal(await pair[0].increment(), 6);
    assert.equal(await pair[1].increment(), 7);
    pair[Symbol.dispose]();
  },
  async "the shared counter is the same on each read"({ connect }) {
    const api = connect();
    const before = await api.sharedCounter.value;
    await api.sharedCounter.increment(3);
    assert.deepEqual([before, await api.sharedCounter.value], [100, 103]);
  },
  async "a session has its own main"({ connect }) {
    const [one, two] = [connect(), connect()];
    await one.sharedCounter.increment(5);
    assert.equal(await one.appendLog("x"), 1);
    assert.deepEqual([await two.sharedCounter.value, await two.getLog()], [100, []]);
  },
  async "a server's stub goes back to it as an argument"({ call }) {
    const counter = await call(api => api.makeCounter(1));
    assert.equal(await call(api => api.incrementCounter(counter, 4)), 5);
    assert.equal(await call(api => api.incrementCounter(api.makeCounter(10))), 11);
    counter[Symbol.dispose]();
  },
  async "a function is a result"({ call }) { assert.equal(await call(api => api.makeAdder(5))(10), 15); },
  async "a target of the client is called back"({ call }) {
    const target = targetWith({ square: i => i * i });
    assert.deepEqual(await call(api => api.callSquare(target, 6)), { result: 36 });
  },
  async "a function of the client is called back"({ call }) {
    assert.deepEqual(await call(api => api.callFunction(i => i + 1, 6)), { result: 7 });
    assert.deepEqual(await call(api => api.callMany(async i => i * 2, 4)), [0, 2, 4, 6]);
  },
  async "an error of a callback rejects the call"({ call }) {
    await fails(call(api => api.callFunction(() => { throw new RangeError("not this"); }, 1)), "RangeError", "not this");
  },
  async "a callback that was dup'ed is called after the call"({ call }) {
    const got = await new Promise(resolve => { call(api => api.callLater(resolve, 5, "later")); });
    assert.equal(got, "later");
  },
  async "a callback that was not dup'ed cannot be used after the call"({ connect }) {
    const api = connect();
    let called = false;
    assert.equal(await api.lastError(), null);
    await api.useAfterReturn(() => { called = true; }, 5);
    await eventually(async () => typeof await api.lastError(), "string");
    assert.notEqual(await api.lastError(), "no error");
    assert.equal(called, false);
  },
  async "a held callback is called until it is dropped"({ connect }) {
    const api = connect();
    let disposed = false;
    const fn = Object.assign(x => x * 3, { [Symbol.dispose]() { disposed = true; } });
    assert.equal(await api.hold(fn), null);
    assert.equal(await api.callHeld(4), 12);
    assert.equal(await api.callHeld(5), 15);
    assert.equal(disposed, false);
    assert.equal(await api.dropHeld(), null);
    await eventually(() => disposed, true);
  },
  async "a client's own object comes home inside a result"({ call }) {
    const target = targetWith({ ping: () => "home" });
    const { stub } = await call(api => api.returnStubIn(target));
    assert.equal(await stub.ping(), "home");
  },
  async "a server's object comes back as it is, or that call fails"({ call }) {
    const counter = await call(api => api.makeCounter(20));
    try {
      const { stub } = await call(api => api.returnStubIn(counter));
      await counter.increment();
      assert.equal(await stub.value, 21);
    } catch (error) {
      assert.equal(error.message, "Can't dup an RpcTarget stub as a promise.");      // the reference cannot
    }
    assert.equal(typeof await counter.value, "number");
  },
  async "the client's main object is called"({ connect }) {
    const api = connect(targetWith({ onPeerCall: x => x * 10 }));
    assert.equal(await api.callPeer(7), 70);
  },
  async "without a main object, calling it fails"({ connect }) {
    await fails(connect().callPeer(1), "Error", /no main object/);
  },
  async "a disposer runs once its stub is gone"({ connect }) {
    const api = connect();
    const tracked = await api.makeTracked();
    assert.equal(await tracked.ping(), "pong");
    assert.equal(await api.disposedCount(), 0);
    tracked[Symbol.dispose]();
    await eventually(() => api.disposedCount(), 1);
  },
  async "a dup keeps a target alive"({ connect }) {
    const api = connect();
    const tracked = await api.makeTracked();
    const dup = tracked.dup();
    tracked[Symbol.dispose]();
    assert.equal(await dup.ping(), "pong");
    assert.equal(await api.disposedCount(), 0);
    dup[Symbol.dispose]();
    await eventually(() => api.disposedCount(), 1);
  },
  async "a target that comes twice lives until both stubs are gone"({ connect }) {
    const api = connect();
    const both = await api.makeTrackedTwice();
    both.a[Symbol.dispose]();
    assert.equal(await both.b.ping(), "pong");
    both.b[Symbol.dispose]();
    await eventually(async () => await api.disposedCount() >= 1, true);
  },
  async "an unused result is disposed with its promise"({ connect }) {
    const api = connect();
    api.makeTracked()[Symbol.dispose]();
    await eventually(() => api.disposedCount(), 1);
  },
  async "what a session held is disposed with it"({ connect, call }) {
    const before = (await call(api => api.globalStats())).disposed;
    const api = connect();
    await api.makeTracked();
    api[Symbol.dispose]();
    await eventually(async () => (await call(a => a.globalStats())).disposed > before, true);
  },
  async "the server hears that a client's capability broke"({ connect, call }) {
    const before = (await call(api => api.globalStats())).broken;
    const api = connect();
    assert.equal(await api.watchBroken(() => {}), null);
    api[Symbol.dispose]();
    await eventually(async () => (await call(a => a.globalStats())).broken, before + 1);
  },
  async "calls are started in order"({ connect }) {
    const api = connect();
    const lengths = await Promise.all(Array.from({ length: 20 }, (_, i) => api.appendLog(i)));
    assert.deepEqual(lengths, Array.from({ length: 20 }, (_, i) => i + 1));
    assert.deepEqual(await api.getLog(), Array.from({ length: 20 }, (_, i) => i));
  },
  async "a call that waits for an argument may be overtaken"({ connect }) {
    const api = connect();
    await Promise.all([api.appendLog(api.echoLater("slow", 30)), api.appendLog("quick")]);
    assert.deepEqual(await api.getLog(), ["quick", "slow"]);
  },
  async "calls on one promise keep their order"({ connect }) {
    const api = connect();
    const counter = api.deferredCounter(10, 0);
    assert.deepEqual(await Promise.all([counter.increment(1), counter.increment(10), counter.increment(100)]), [1, 11, 111]);
  },
  async "a slow call does not hold up others"({ call }) {
    const order = [];
    await Promise.all([
      call(api => api.echoLater("slow", 40)).then(v => order.push(v)), call(api => api.echoLater("quick", 1)).then(v => order.push(v)),
    ]);
    assert.deepEqual(order, ["quick", "slow"]);
  },
  async "bare values can be thrown, or come as an error"({ call }) {
    const reason = await call(api => api.throwValue("bare")).then(() => assert.fail("it was fulfilled"), error => error);
    assert.ok(reason === "bare" || reason instanceof Error);
  },
  async "a stub has its kind"({ call }) {
    assert.deepEqual(await call(api => api.argKinds(() => 1, targetWith({}), new RpcStub(targetWith({})))), ["stub", "stub", "stub"]);
  },
  async "map to calls that take capabilities"({ call }) {
    const results = await call(api => api.getList().map(item => api.callFunction(api.makeAdder(item.id), 1)));
    assert.deepEqual(results, [{ result: 2 }, { result: 3 }, { result: 4 }]);
  },
  async "hundreds of calls in flight"({ call }) {
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    assert.deepEqual(await Promise.all(numbers.map(i => call(api => api.square(i)))), numbers.map(i => i * i));
  },
};

export const batchOnly = {
  async "one batch carries many calls"({ call }) {
    const results = await call(api => Promise.all([api.square(2), api.greet("you"), api.version, api.square(api.square(2))]));
    assert.deepEqual(results, [4, "Hello, you!", "conformance-1", 16]);
  },
  async "good answers stand beside a failed one"({ call }) {
    const results = await call(api => Promise.allSettled([api.throwError(), api.square(5)]));
    assert.deepEqual(results.map(result => result.status), ["rejected", "fulfilled"]);
  },
  async "a batch has its own main"({ call }) {
    assert.equal(await call(api => api.appendLog(1)), 1);
    assert.equal(await call(api => api.appendLog(1)), 1);
  },
  async "an empty body is answered by an empty one"({ post }) { assert.deepEqual(await post(""), { status: 200, text: "" }); },
  async "only what was pulled is answered"({ post }) {
    const { status, text } = await post(
      '["push",["pipeline",0,["square"],[2]]]\n["push",["pipeline",0,["square"],[3]]]\n["pull",2]');
    assert.deepEqual([status, ...text.split("\n").map(line => JSON.parse(line))], [200, ["resolve", 2, 9]]);
  },
  async "answers come in the order of completion"({ post }) {
    const { text } = await post(['["push",["pipeline",0,["echoLater"],["slow",30]]]', '["push",["pipeline",0,["echoLater"],["quick",1]]]',
      '["pull",1]', '["pull",2]'].join("\n"));
    assert.deepEqual(text.split("\n"), ['["resolve",2,"quick"]', '["resolve",1,"slow"]']);
  },
  async "other methods are refused with 405"({ post }) {
    assert.deepEqual(await post(undefined, "GET"), { status: 405, text: "" });
    assert.equal((await post(undefined, "PUT")).status, 405);
  },
  async "a body that is not JSON is answered by 500"({ post }) {
    const { status, text } = await post("{nope");
    assert.equal(status, 500);
    assert.match(text, /^\w+: ./);
  },
  async "a trailing newline fails the batch"({ post }) {
    assert.equal((await post('["push",["pipeline",0,["square"],[2]]]\n["pull",1]\n')).status, 500);
  },
  async "a protocol error is answered by 500 and the message"({ post }) {
    assert.deepEqual(await post('["pull",9]'), { status: 500, text: "Error: no such export ID: 9" });
  },
};
