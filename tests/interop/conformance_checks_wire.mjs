// Checks of what a server says on the wire, for conformance_client.mjs: messages are written and read as JSON text.

import assert from "node:assert/strict";

const square = n => ["pipeline", 0, ["square"], [n]];

// What a message must be answered with: an abort, then the connection's close with code 3000 and the message as reason.
const aborts = (message, type, text) => async ({ wire }) => {
  const w = await wire();
  if (typeof message === "string") w.raw(message);
  else w.send(...message);
  const [kind, error] = await w.wait("abort");
  assert.equal(kind, "abort");
  assert.equal(error[0], "error");
  if (type) assert.equal(error[1], type);
  if (text instanceof RegExp) assert.match(error[2], text);
  else if (text) assert.equal(error[2], text);
  const { code, reason } = await w.closed;
  assert.equal(code, 3000);
  assert.ok(error[2].startsWith(reason) && Buffer.byteLength(reason) <= 123, reason);
};

const answers = (expression, answer) => async ({ wire }) => {
  const w = await wire();
  assert.deepEqual(await w.call(1, expression), answer);
};

const deep = n => JSON.parse("[[".repeat(n) + '"bottom"' + "]]".repeat(n));

export const onTheWire = {
  "a call is answered by its id": answers(square(4), ["resolve", 1, 16]),
  "the main is read by a path": answers(["pipeline", 0, ["version"]], ["resolve", 1, "conformance-1"]),
  "an array is escaped": answers(["pipeline", 0, ["getMatrix"], []], ["resolve", 1, [[[[1, 2]], [[3]], [[]]]]]),
  "bytes are unpadded base64": answers(
    ["pipeline", 0, ["echo"], [["bytes", "AAH+/w=="]]], ["resolve", 1, ["bytes", "AAH+/w"]]),
  "URL-safe base64 is read": answers(["pipeline", 0, ["echo"], [["bytes", "AAH-_w"]]], ["resolve", 1, ["bytes", "AAH+/w"]]),
  "a bigint in hexadecimal is read": answers(["pipeline", 0, ["echo"], [["bigint", " 0xff "]]], ["resolve", 1, ["bigint", "255"]]),
  "1e400 is Infinity": async ({ wire }) => {
    const w = await wire();
    w.raw('["push",["pipeline",0,["echo"],[1e400]]]');
    w.send(["pull", 1]);
    assert.deepEqual(await w.next(), ["resolve", 1, ["inf"]]);
  },
  "undefined is an expression": answers(["pipeline", 0, ["returnUndefined"], []], ["resolve", 1, ["undefined"]]),
  "an invalid date is null": answers(["pipeline", 0, ["echo"], [["date", 1e300]]], ["resolve", 1, ["date", null]]),
  "an error without extras has three elements": answers(
    ["pipeline", 0, ["throwError"], []], ["reject", 1, ["error", "RangeError", "test error"]]),
  "an error with properties has them in slot four": answers(["pipeline", 0, ["throwRich"], []], ["reject", 1, ["error", "TypeError",
    "rich error", null, { code: 42, details: { list: [[1, "two"]], when: ["date", 0] }, cause: ["error", "Error", "root cause"] }]]),
  "keys of Object.prototype are dropped": answers(
    ["pipeline", 0, ["echo"], [{ constructor: 1, toJSON: 2, ok: 3, valueOf: 4 }]], ["resolve", 1, { ok: 3 }]),
  "__proto__ is dropped": async ({ wire }) => {
    const w = await wire();
    w.raw('["push",["pipeline",0,["echo"],[{"__proto__":{"x":1},"ok":3}]]]');
    w.send(["pull", 1]);
    assert.deepEqual(await w.next(), ["resolve", 1, { ok: 3 }]);
  },
  "names of Object.prototype are undefined in a path": answers(["pipeline", 0, ["config", "constructor"]], ["resolve", 1, ["undefined"]]),
  "a number in a path picks an item": answers(["pipeline", 0, ["config", "nested", "deep", 1]], ["resolve", 1, 20]),
  "text has no properties": answers(["pipeline", 0, ["version", "length"]], ["resolve", 1, ["undefined"]]),
  "a second pull is ignored": async ({ wire }) => {
    const w = await wire();
    w.send(["push", square(2)], ["pull", 1], ["pull", 1], ["push", square(3)], ["pull", 2]);
    assert.deepEqual([await w.next(), await w.next()], [["resolve", 1, 4], ["resolve", 2, 9]]);
  },
  "what is not pulled is not answered": async ({ wire }) => {
    const w = await wire();
    w.send(["push", square(2)], ["push", square(3)], ["pull", 2]);
    assert.deepEqual(await w.next(), ["resolve", 2, 9]);
  },
  "resolve and reject of unknown ids are ignored": async ({ wire }) => {
    const w = await wire();
    w.send(["resolve", 77, 1], ["reject", 78, ["error", "Error", "x"]], ["push", square(2)], ["pull", 1]);
    assert.deepEqual(await w.next(), ["resolve", 1, 4]);
  },
  "a released id cannot be pulled": aborts([["push", square(2)], ["release", 1, 1], ["pull", 1]], "Error", "no such export ID: 1"),
  "pull of an unknown id aborts": aborts([["pull", 7]], "Error", "no such export ID: 7"),
  "release of an unknown id aborts": aborts([["release", 7, 1]], "Error", "no such export ID: 7"),
  "release of too many references aborts": aborts([["push", square(2)], ["release", 1, 2]], "Error", "refcount would go negative: 1 < 2"),
  "an unknown id in an expression aborts": aborts([["push", ["pipeline", 9, ["x"], []]]], "Error", "no such entry on exports table: 9"),
  "a message of an unknown kind aborts": aborts([["poke", 1]], "Error", /^bad RPC message: /),
  "a message that is no array aborts": aborts([{ push: 1 }], "Error", /^bad RPC message: /),
  "text that is not JSON aborts": aborts("{nope"),
  "NaN as a JSON literal aborts": aborts('["push",["pipeline",0,["echo"],[NaN]]]'),
  "an unknown expression aborts": aborts([["push", ["what", 1]]], "TypeError", 'unknown special value: ["what",1]'),
  "an unescaped array aborts": aborts([["push", ["pipeline", 0, ["echo"], [[1, 2]]]]], "TypeError", "unknown special value: [1,2]"),
  "an unknown byte container aborts": aborts(
    [["push", ["pipeline", 0, ["echo"], [["bytes", "AA", "Float16Array"]]]]], "TypeError", "Unknown bytes type marker: Float16Array"),
  "bytes that do not fill their container abort": aborts([["push", ["pipeline", 0, ["echo"], [["bytes", "AAAA", "Int16Array"]]]]],
    "TypeError", "Invalid byte length 3 for Int16Array; expected a multiple of 2"),
  "a bigint in another grammar aborts": aborts([["push", ["pipeline", 0, ["echo"], [["bigint", "1_000"]]]]], "SyntaxError"),
  "a path part that is neither text nor number aborts": aborts([["push", ["pipeline", 0, [null], []]]], "TypeError", /^unknown special value: /),
  "256 levels abort": async context => aborts([["push", ["pipeline", 0, ["echo"], [deep(300)]]]], "TypeError",
    "Deserialization exceeded maximum allowed message depth of 256.")(context),
  "254 levels of an argument pass": async ({ wire }) => {
    const w = await wire();
    const answer = await w.call(1, ["pipeline", 0, ["echo"], [deep(254)]]);
    assert.deepEqual(answer, ["resolve", 1, deep(254)]);
  },
  "an abort is not answered": async ({ wire }) => {
    const w = await wire();
    w.send(["abort", ["error", "Error", "going"]]);
    assert.equal(await w.next(), null);
    assert.equal((await w.closed).code, 3000);
  },
  "a callback is released before the call is answered": async ({ wire }) => {
    const w = await wire();
    w.send(["push", ["pipeline", 0, ["argCount"], [["export", -1]]]], ["pull", 1]);
    assert.deepEqual([await w.next(), await w.next()], [["release", -1, 1], ["resolve", 1, 1]]);
  },
  "a callback is called by a push and a pull": async ({ wire }) => {
    const w = await wire();
    w.send(["push", ["pipeline", 0, ["callFunction"], [["export", -1], 5]]], ["pull", 1]);
    const call = await w.wait("push");
    assert.deepEqual(call[1].slice(0, 2), ["pipeline", -1]);
    assert.deepEqual(call[1][3], [5]);
    assert.deepEqual(await w.wait("pull"), ["pull", 1]);
    w.send(["resolve", 1, 50]);
    assert.deepEqual(await w.wait("resolve"), ["resolve", 1, { result: 50 }]);
  },
  "a promise in a result is resolved by a message of its own": async ({ wire }) => {
    const w = await wire();
    const [, id, result] = await w.call(1, ["pipeline", 0, ["laterInside"], [5, "v"]]);
    assert.equal(id, 1);
    const [kind, promise] = result.later;
    assert.deepEqual([result.now, kind], ["v", "promise"]);
    assert.ok(promise < 0);
    assert.deepEqual(await w.wait("resolve"), ["resolve", promise, "v"]);
  },
  "capabilities of the server have negative ids": async ({ wire }) => {
    const w = await wire();
    const [, , pair] = await w.call(1, ["pipeline", 0, ["getCounterPair"], []]);
    assert.deepEqual(pair, { a: ["export", -1], b: ["export", -2] });
    assert.deepEqual(await w.call(2, ["pipeline", -2, ["increment"], [5]]), ["resolve", 2, 7]);
  },
  "a write is answered by undefined": async ({ wire }) => {
    const w = await wire();
    const [, , [kind, id]] = await w.call(1, ["pipeline", 0, ["makeSink"], []]);
    assert.equal(kind, "writable");
    w.send(["stream", ["pipeline", id, ["write"], ["a"]]], ["stream", ["pipeline", id, ["close"], []]]);
    assert.deepEqual([await w.next(), await w.next()], [["resolve", 2, ["undefined"]], ["resolve", 3, ["undefined"]]]);
  },
  "a pipe feeds a readable argument": async ({ wire }) => {
    const w = await wire();
    w.send(["pipe"], ["push", ["pipeline", 0, ["collect"], [["readable", 1]]]], ["pull", 2]);
    w.send(["stream", ["pipeline", 1, ["write"], ["a"]]], ["stream", ["pipeline", 1, ["close"], []]]);
    const got = new Map();
    while (got.size < 3) {
      const [kind, id, value] = await w.wait("resolve", "reject");
      got.set(id, [kind, value]);
    }
    assert.deepEqual(got.get(2), ["resolve", [["a"]]]);
  },
  "a readable is used once": aborts(
    [["pipe"], ["push", ["pipeline", 0, ["argCount"], [["readable", 1]]]], ["push", ["pipeline", 0, ["argCount"], [["readable", 1]]]]],
    "Error", /^Export 1 is not a pipe or its readable end was already consumed\.$/),
  "a readable result comes through a pipe": async ({ wire }) => {
    const w = await wire();
    w.send(["push", ["pipeline", 0, ["countdown"], [1]]], ["pull", 1]);
    assert.deepEqual(await w.next(), ["pipe"]);
    assert.deepEqual(await w.wait("resolve"), ["resolve", 1, ["readable", 1]]);
    assert.deepEqual(await w.wait("stream"), ["stream", ["pipeline", 1, ["write"], [1]]]);
  },
  "a remap without instructions is rejected": answers(
    ["remap", 0, ["config", "nested", "deep"], [], []], ["reject", 1, ["error", "Error", "Invalid empty mapper function."]]),
  "a malformed capture aborts": aborts([["push", ["remap", 0, ["config"], [["pipeline", 0]], [1]]]], "TypeError",
    /^unknown map capture: /),
};
// Results of a map are promises, one per element, each resolved by a message of its own.
onTheWire["a map's captures and instructions"] = async ({ wire }) => {
  const w = await wire();
  const [kind, id, [ids]] = await w.call(
    1, ["remap", 0, ["config", "nested", "deep"], [["import", 0]], [["pipeline", -1, ["square"], [["pipeline", 0]]]]]);
  assert.deepEqual([kind, id], ["resolve", 1]);
  if (ids.every(item => typeof item === "number")) return assert.deepEqual(ids, [100, 400, 900]);
  const results = new Map();
  for (let i = 0; i < ids.length; i++) {
    const [, promise, value] = await w.wait("resolve");
    results.set(promise, value);
  }
  assert.deepEqual(ids.map(([, promise]) => results.get(promise)), [100, 400, 900]);
};
