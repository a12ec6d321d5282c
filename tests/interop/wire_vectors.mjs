// Writes wire_vectors.json: what the npm package makes of values (encode) and of wire texts (decode). Run it by hand, after an
// upgrade of the package:
//
//     node wire_vectors.mjs
//
// Values stand in the file in a notation of their own, the same in both directions:
//
//     null, true, 1.5, "text", [item, ...]          themselves
//     {"$object": [[key, value], ...]}              an object, its keys in order
//     {"$number": "nan" | "inf" | "-inf" | "-0"}    numbers that JSON lacks
//     {"$undefined": true} {"$bigint": "12"} {"$date": ms or null} {"$url": text} {"$headers": [[name, value], ...]}
//     {"$bytes": [container, hex]}
//     {"$error": {"type", "message", "props": [[key, value], ...]}}      cause and errors are the last of the properties
//     {"$request": {"url", "method", "headers", "body", "extra"}}        body: null or the hex of its bytes
//     {"$response": {"body", "status", "statusText", "headers"}}
//     {"$nest": [kind, levels, leaf]}               levels of one-element arrays or objects (kinds "array", "object", "mixed")
//     {"$repeat": [text, times]}
//     {"$unserializable": kind}                     something that cannot travel
//
// A vector has a name, a value and a wire text; where the package throws, `throws` has the error's type and message. A text with long
// runs stands anywhere as {"$text": [text, [run, times], text]}, its parts to be joined.

import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "capnweb";

const undef = { $undefined: true };
const number = text => ({ $number: text });
const bytes = (container, hex) => ({ $bytes: [container, hex] });
const error = (type, message, ...props) => ({ $error: { type, message, props } });
const object = (...entries) => ({ $object: entries });
const nest = (kind, levels, leaf = "leaf") => ({ $nest: [kind, levels, leaf] });
const repeat = (text, times) => ({ $repeat: [text, times] });

const CONTAINERS = {
  ArrayBuffer: null, DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  BigInt64Array, BigUint64Array, Float32Array, Float64Array,
};
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

// ---- notation -> value

function build(description) {
  if (description === null || typeof description !== "object") return description;
  if (Array.isArray(description)) return description.map(build);
  const [[tag, content]] = Object.entries(description);
  return BUILDERS[tag](content);
}

const BUILDERS = {
  $object: entries => define({}, entries),
  $number: text => ({ nan: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 })[text],
  $undefined: () => undefined,
  $bigint: text => BigInt(text),
  $date: ms => new Date(ms ?? NaN),
  $url: text => new URL(text),
  $headers: pairs => new Headers(pairs),
  $bytes([container, hex]) {
    const buffer = Uint8Array.from(Buffer.from(hex, "hex")).buffer;
    return container === "ArrayBuffer" ? buffer : new CONTAINERS[container](buffer);
  },
  $error({ type, message, props }) {
    const own = Object.fromEntries(props);
    const made = type === "AggregateError" ? new AggregateError(build(own.errors ?? []), message)
      : new (ERRORS[type] ?? Error)(message);
    if (made.name !== type) Object.defineProperty(made, "name", { value: type });
    for (const [key, value] of props) {
      if (key === "cause") Object.defineProperty(made, key, { value: build(value) });
      else if (key !== "errors") made[key] = build(value);
    }
    return made;
  },
  $request: ({ url, method = "GET", headers = [], extra = [] }) => new Request(url, { method, headers, ...Object.fromEntries(extra) }),
  $response: ({ status = 200, statusText = "", headers = [] }) => new Response(null, { status, statusText, headers }),
  $nest([kind, levels, leaf]) {
    let value = build(leaf);
    for (let i = 0; i < levels; i++) value = kind === "array" || kind === "mixed" && i % 2 ? [value] : { k: value };
    return value;
  },
  $repeat: ([text, times]) => text.repeat(times),
  $unserializable: kind => ({
    map: new Map(), set: new Set(), instance: new (class Thing {})(), symbol: Symbol("s"), regexp: /x/,
    subclass: new (class MyDate extends Date {})(0),
  })[kind],
};

function define(target, entries) {
  for (const [key, value] of entries) {
    Object.defineProperty(target, key, { value: build(value), enumerable: true, configurable: true, writable: true });
  }
  return target;
}

// ---- value -> notation

async function describe(value) {
  return await describeNest(value) ?? describeOne(value);
}

// Fifty levels and more of one-element arrays, or of objects with the one key "k", are counted.
async function describeNest(value) {
  const kind = Array.isArray(value) ? "array" : "object";
  const inner = item => kind === "array" ? Array.isArray(item) && item.length === 1
    : item && typeof item === "object" && Object.keys(item).join() === "k";
  let [leaf, levels] = [value, 0];
  for (; inner(leaf); levels++) leaf = kind === "array" ? leaf[0] : leaf.k;
  return levels >= 50 ? nest(kind, levels, await describeOne(leaf)) : undefined;
}

async function describeOne(value) {
  if (value === undefined) return undef;
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (Number.isNaN(value)) return number("nan");
    if (!Number.isFinite(value)) return number(value > 0 ? "inf" : "-inf");
    return Object.is(value, -0) ? number("-0") : value;
  }
  if (typeof value === "bigint") return { $bigint: value.toString() };
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (value instanceof ArrayBuffer) return bytes("ArrayBuffer", Buffer.from(value).toString("hex"));
  if (ArrayBuffer.isView(value)) {
    const container = Object.prototype.toString.call(value).slice(8, -1);
    return bytes(container, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex"));
  }
  if (value instanceof URL) return { $url: value.href };
  if (value instanceof Headers) return { $headers: [...value] };
  if (value instanceof Request) return { $request: await describeRequest(value) };
  if (value instanceof Response) {
    const { status, statusText, headers } = value;
    return { $response: { body: await bodyOf(value), status, statusText, headers: [...headers] } };
  }
  if (value instanceof Error) {
    const keys = [...Object.keys(value).filter(key => !["name", "message", "stack", "cause", "errors"].includes(key)),
      ...["cause", "errors"].filter(key => Object.hasOwn(value, key))];
    const props = [];
    for (const key of keys) props.push([key, await describe(value[key])]);
    return error(value.constructor.name, value.message, ...props);
  }
  if (Array.isArray(value)) return Promise.all(value.map(describe));
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const entries = [];
    for (const key of Object.keys(value)) entries.push([key, await describe(value[key])]);
    return object(...entries);
  }
  throw new Error(`no notation for ${value}`);
}

async function bodyOf(message) {
  return message.body === null ? null : Buffer.from(await message.arrayBuffer()).toString("hex");
}

async function describeRequest(request) {
  const { url, method, headers } = request;
  const defaults = { cache: "default", redirect: "follow", integrity: "", mode: "cors", credentials: "same-origin",
    referrer: "about:client", referrerPolicy: "", keepalive: false };
  const extra = Object.entries(defaults).filter(([key, value]) => request[key] !== value).map(([key]) => [key, request[key]]);
  return { url, method, headers: [...headers], body: await bodyOf(request), extra };
}

// ---- what is encoded: name, then description

const each = (prefix, values) => values.map(value => [`${prefix} ${JSON.stringify(value)}`, value]);

const NUMBERS = [
  0, 1, -1, 42, 255, 256, 65535, 65536, 2147483647, 2147483648, -2147483648, 4294967295, 9007199254740991, -9007199254740991,
  9007199254740992, -9007199254740992, 9007199254740994, 1e20, 1e21, 1.5e21, 1e22, 123456789012345680000, 1e100,
  1.7976931348623157e308, -1.7976931348623157e308, 0.1, 0.5, -0.25, 1 / 3, 1e-5, 1e-6, 1e-7, 1.5e-7, 5e-324, 2.2250738585072014e-308,
  4.35, 0.1 + 0.2, 100.5, 1e15 + 0.5, 3.14159265358979,
];
const STRINGS = [
  "", "a", "hello", " ", "\"", "\\", "/", "\b\f\n\r\t", "\u0000", "\u0001\u001f", "\u007f", "\u0080\u009f", "h\u00e9llo", "\u2028\u2029",
  "\ufeff", "\uffff", "\u{1f600}", "\u{10ffff}", "\ud800", "\udfff", "a\ud83d", "\ude00b", "\ud83d\u{1f600}", "</script>", "null", "undefined",
  "$", "{\"a\":1}", "[\"date\",0]", "e\u0301", "\u202e", "__proto__",
];
const BIGINTS = ["0", "1", "-1", "9007199254740991", "9007199254740992", "-9007199254740993", "18446744073709551616",
  "123456789012345678901234567890", `-1${"0".repeat(60)}`, "7".repeat(5000)];
const DATES = [0, 1, -1, 1700000000000, 1700000000123, 951782400000, -62135596800000, -62135596800001, 253402300799999, 253402300800000,
  8.64e15, -8.64e15, null];
const BYTES = {
  ArrayBuffer: ["", "00", "0001feff"], DataView: ["", "010203"], Int8Array: ["", "80ff7f"], Uint8Array: ["", "00", "0001", "000102", "00010203",
    "fbffbf", "ff".repeat(57), "00".repeat(100)], Uint8ClampedArray: ["", "00ff"], Int16Array: ["", "ffff0201"], Uint16Array: ["ffff0201"],
  Int32Array: ["", "01020304"], Uint32Array: ["ffffffff"], BigInt64Array: ["", "ffffffffffffffff"], BigUint64Array: ["0000000000000080"],
  Float32Array: ["", "0000003f"], Float64Array: ["", "000000000000e03f", "000000000000f87f"],
};

const ENCODE = [
  ...each("constant", [null, true, false]), ["undefined", undef],
  ...each("number", NUMBERS), ...["nan", "inf", "-inf", "-0"].map(text => [`number ${text}`, number(text)]),
  ...each("text", STRINGS), ["long text", repeat("x\u00e9", 2000)],
  ...BIGINTS.map(text => [`bigint ${text.slice(0, 40)} (${text.length})`, { $bigint: text }]),
  ...DATES.map(ms => [`date ${ms}`, { $date: ms }]),
  ...Object.entries(BYTES).flatMap(([container, hexes]) => hexes.map(
    hex => [`${container} of ${hex.slice(0, 20)} (${hex.length / 2} bytes)`, bytes(container, hex)])),
  ...each("array", [[], [1], [1, 2, 3], [[]], [[1]], [[[]]], [[], []], [[1, 2], [3], []], [null], ["date", 0], ["bytes", "AA"], ["undefined"],
    [["date", 0]], [[["a"]]], [[[["a"]]]], [true, [false, [null]]]]),
  ["array with undefined", [undef, 1, undef]],
  ["array of leaves", [{ $date: 0 }, { $bigint: "5" }, number("nan"), bytes("Uint8Array", "00"), error("Error", "e")]],
  ["object, empty", object()], ["object", object(["a", 1], ["b", "two"])], ["object in object", object(["a", object(["b", object(["c", 1])])])],
  ["object with undefined", object(["a", undef], ["b", null])], ["object with arrays", object(["a", []], ["b", [[1]]], ["c", [object()]])],
  ["object, empty key", object(["", 1])], ["object, keys keep their order", object(["z", 1], ["a", 2], ["m", 3])],
  ["object, keys beyond ASCII", object(["\u00e9", 1], ["\u{1f600}", 2], ["\"\\\n", 3], ["\ud800", 4])],
  ["object, keys of Python", object(["__class__", 1], ["__dict__", 2], ["self", 3], ["None", 4])],
  ...["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toJSON",
    "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__"]
    .map(key => [`object, key ${key}`, object([key, 1], ["ok", 2])]),
  ["object of leaves", object(["d", { $date: 5 }], ["n", { $bigint: "-5" }], ["u", { $url: "https://a.example/" }])],
  ["nested 10 levels of arrays", nest("array", 10)], ["nested 10 levels of objects", nest("object", 10)],
  ["nested 255 levels of arrays", nest("array", 255)], ["nested 256 levels of arrays", nest("array", 256)],
  ["nested 255 levels of objects", nest("object", 255)], ["nested 256 levels of objects", nest("object", 256)],
  ["nested 255 levels of both", nest("mixed", 255)], ["nested 300 levels of both", nest("mixed", 300)],
  ["nested 255 levels around a leaf expression", nest("array", 255, { $date: 0 })],
  ["nested 255 levels around an empty array", nest("array", 254, [])],
  ...["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "OwnError", "KeyError"]
    .map(type => [`error ${type}`, error(type, `a ${type}`)]),
  ["error, no message", error("Error", "")], ["error, text beyond ASCII", error("Error", "h\u00e9 \u{1f600} \"q\"")],
  ["error with props", error("TypeError", "m", ["code", 42], ["list", [1, [2]]], ["when", { $date: 0 }], ["u", undef])],
  ["error with a cause", error("Error", "m", ["cause", error("RangeError", "inner")])],
  ["error with a cause that is no error", error("Error", "m", ["cause", "because"])],
  ["error with a cause of undefined", error("Error", "m", ["cause", undef])],
  ["error with props and a cause", error("TypeError", "m", ["code", 1], ["cause", error("Error", "root")])],
  ["error with causes in a row", error("Error", "1", ["cause", error("Error", "2", ["cause", error("Error", "3")])])],
  ["error with a prop that is an error", error("Error", "m", ["inner", error("TypeError", "t")])],
  ["error with a prop that cannot travel", error("Error", "m", ["a", 1], ["bad", { $unserializable: "map" }], ["z", 2])],
  ["error with only a prop that cannot travel", error("Error", "m", ["bad", { $unserializable: "symbol" }])],
  ["error with a prop that cannot travel inside", error("Error", "m", ["bad", [1, { $unserializable: "set" }]], ["z", 2])],
  ["aggregate", error("AggregateError", "many", ["errors", [error("RangeError", "e1"), error("Error", "e2")]])],
  ["aggregate of aggregates", error("AggregateError", "m", ["errors", [error("AggregateError", "n", ["errors", [error("Error", "e")]])]])],
  ...["https://example.com/", "https://example.com/p?q=1", "https://example.com/p?q=1#f", "http://user:pw@example.com:8080/", "mailto:a@b.c",
    "file:///tmp/x", "data:text/plain,hi", "https://xn--hllo-bpa.example/%C3%A9", "wss://a.example/b"].map(text => [`url ${text}`, { $url: text }]),
  ["url that is not normal", { $url: "HTTPS://EXAMPLE.com:443/a/../b" }],
  ["headers, none", { $headers: [] }], ["headers", { $headers: [["a", "1"], ["b", "2"]] }],
  ["headers, upper case and out of order", { $headers: [["X-B", "2"], ["X-A", "1"]] }],
  ["headers, twice", { $headers: [["A", "1"], ["a", "2"], ["b", "3"], ["A", "4"]] }],
  ["headers, cookies", { $headers: [["Set-Cookie", "a=1"], ["set-cookie", "b=2"], ["cookie", "c=3"]] }],
  ["headers, space around a value", { $headers: [["a", "  1 "]] }],
  ["request", { $request: { url: "https://example.com/" } }], ["request, method", { $request: { url: "https://example.com/", method: "DELETE" } }],
  ["request, headers", { $request: { url: "https://example.com/p", headers: [["X-B", "2"], ["x-a", "1"]] } }],
  ["request, redirect", { $request: { url: "https://example.com/", extra: [["redirect", "manual"]] } }],
  ["request, cache and credentials", { $request: { url: "https://example.com/", extra: [["cache", "no-store"], ["credentials", "include"]] } }],
  ["response", { $response: {} }], ["response, status", { $response: { status: 404, statusText: "Not Found" } }],
  ["response, headers", { $response: { status: 204, headers: [["X-B", "2"], ["x-a", "1"]] } }],
  ...["map", "set", "instance", "symbol", "regexp", "subclass"].map(kind => [`cannot travel: ${kind}`, { $unserializable: kind }]),
  ["cannot travel: inside", object(["a", [1, { $unserializable: "map" }]])],
];

// ---- what is decoded: name (or the text itself), then the text

const x = value => JSON.stringify(value);
const PROTO_NAMES = ["constructor", "__defineGetter__", "__defineSetter__", "hasOwnProperty", "__lookupGetter__", "__lookupSetter__",
  "isPrototypeOf", "propertyIsEnumerable", "toString", "valueOf", "__proto__", "toLocaleString", "toJSON"];
const nested = (levels, leaf) => "[[".repeat(levels) + leaf + "]]".repeat(levels);
const objects = (levels, leaf) => '{"k":'.repeat(levels) + leaf + "}".repeat(levels);

const DECODE_TEXTS = [
  "null", "true", "false", "0", "-0", "-0.0", "1", "-1", "1.0", "1.5", "1e3", "1E3", "1e+3", "10e-1", "9007199254740991", "9007199254740992",
  "9007199254740993", "-9007199254740993", "18446744073709551615", "18446744073709551616", "1e21", "1e308", "1e309", "-1e309", "1e400", "5e-324",
  "1e-400", "0.1", "123456789012345678901234567890", "1".repeat(308), "1".repeat(400), `-${"9".repeat(400)}`, "1".repeat(5000),
  '""', '"a"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00x"', '"\\/"', '"\u{1f600}"', '"\u2028"', '"\\u2028"', '"h\u00e9"',
  "{}", '{"a":1}', '{"a":{"b":[[1]]}}', '{"":1}', '{"a":1,"a":2}', '{"b":1,"a":2}', ' { "a" : 1 } ', "[[]]", "[[1]]", "[[1,2,3]]", "[[[[]]]]",
  "[[[[1]],[[2]]]]", "[[null,true]]", '[["date",0]]', '[[["date",0]]]', '[[{"a":[[]]}]]', "[[[[[[]]]]]]", '[[["undefined"],1]]',
  // what is not an escape
  "[]", "[1]", "[1,2]", "[[1],2]", "[[[]]]", "[[],[]]", "[null]", "[true]", "[{}]", '["what"]', '["what",1,{"a":[null]}]', '["__proto__"]',
  '["constructor"]', '["toString",1]', '[["a"],["b"]]', "[[[1,2]]]", '[[["what",1]]]', '{"a":[1,2]}', '[["a",["b"]]]', "[1.5]", '["h\u00e9"]',
  // undefined, infinities, nan
  '["undefined"]', '["undefined",1]', '["inf"]', '["inf",1]', '["-inf"]', '["-inf",1]', '["nan"]', '["nan",1]', '["Inf"]', '["NaN"]',
  // bigint
  ...["0", "5", "-5", "+5", "", " ", "  ", "\t\n", " 12 ", "\u00a012\u3000", "\ufeff7", "007", "-0", "0xff", "0XFF", "0o17", "0O17", "0b101", "0B1",
    "-0xff", "+0xff", "0x", "1_000", "5n", "1e3", "1.0", "abc", "- 5", "--5", "\u0661\u0662", "\uff15", "Infinity", "1 2", "\u200b5", "0x_f", "0b2",
    "123456789012345678901234567890", "9".repeat(4301), "9".repeat(16384), `-${"9".repeat(16383)}`]
    .map(text => [`bigint ${JSON.stringify(text.slice(0, 40))} (${text.length})`, x(["bigint", text])]),
  ...["9".repeat(16385), `-${"9".repeat(16384)}`, " ".repeat(16385)]
    .map(text => [`bigint ${JSON.stringify(text.slice(0, 4))}... (${text.length})`, x(["bigint", text])]),
  '["bigint"]', '["bigint",5]', '["bigint",null]', '["bigint",["1"]]', '["bigint","1",2]',
  // dates
  ...[0, 1, -1, 1.9, -1.9, 0.5, -0.5, 1700000000123.999, 8.64e15, -8.64e15, 8640000000000001, -8640000000000001, 1e300, -62135596800000,
    -62135596800001, 253402300799999, 253402300800000].map(ms => x(["date", ms])),
  '["date",null]', '["date",1e400]', '["date",-0]', '["date"]', '["date","0"]', '["date",true]', '["date",["nan"]]', '["date",0,1]',
  // bytes
  ...["", "AA", "AA==", "AAE", "AAE=", "AAEC", "AAH+/w", "AAH-_w", "AAH-/w==", "A A\nE=", "AA=AA", "AA==AA==", "A", "A===", "AAAAA", "!!!!", "AA!EC",
    "\u00e9AAE", "=", "==", "====AA", "+/", "-_", "AB", "//", "\u0000AAEC", "AAEC====", "AAEC\u2028"].map(text => x(["bytes", text])),
  ...Object.keys(CONTAINERS).flatMap(container => [x(["bytes", "AAECAwQFBgc", container]), x(["bytes", "", container])]),
  ...["Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array", "Float32Array", "Float64Array", "Int8Array", "DataView"]
    .map(container => x(["bytes", "AAEC", container])),
  '["bytes"]', '["bytes",1]', '["bytes",null]', '["bytes",["bytes","AA"]]', '["bytes","AA",null]', '["bytes","AA",1]', '["bytes","AA",true]',
  '["bytes","AA",{}]', '["bytes","AA",["x"]]', '["bytes","AA","Float16Array"]', '["bytes","AA","Buffer"]', '["bytes","AA",""]',
  '["bytes","AA","toString"]', x(["bytes", "AA", "M".repeat(100)]), '["bytes","AA","Uint8Array",1]', '["bytes","AA","Int8Array",null]',
  // errors
  ...["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "OwnError", "constructor", "__proto__", "",
    "KeyError", "StopIteration", "KeyboardInterrupt", "SystemExit", "CancelledError", "RpcError", "UnicodeDecodeError"]
    .map(type => x(["error", type, "m"])),
  '["error","Error",""]', '["error","Error","h\u00e9"]', '["error"]', '["error","Error"]', '["error","Error",1]', '["error",1,"m"]', '["error",null,null]',
  '["error","Error","m","the stack"]', '["error","Error","m",null]', '["error","Error","m",5]', '["error","Error","m",null,{}]',
  '["error","TypeError","m",null,{"code":42,"list":[[1]],"when":["date",0]}]', '["error","Error","m","stack",{"a":1}]',
  '["error","Error","m",null,{"cause":["error","RangeError","inner"]}]', '["error","Error","m",null,{"cause":"because"}]',
  '["error","Error","m",null,{"cause":null}]', '["error","Error","m",null,{"cause":["undefined"]}]',
  '["error","Error","m",null,{"name":"x","message":"y","stack":"z","ok":1}]', '["error","Error","m",null,{"toString":1,"__proto__":{"a":1},"toJSON":2,"ok":1}]',
  '["error","Error","m",null,{"inner":["error","TypeError","t",null,{"b":2}]}]', '["error","Error","m",null,null]', '["error","Error","m",null,[]]',
  '["error","Error","m",null,"x"]', '["error","Error","m",null,{"bad":[1,2]}]', '["error","Error","m",null,{"a":1},9]',
  '["error","AggregateError","many",null,{"errors":[[["error","RangeError","e1"],["error","Error","e2"]]]}]',
  '["error","AggregateError","none"]', '["error","AggregateError","none",null,{"errors":[[]]}]', '["error","AggregateError","odd",null,{"errors":[[1,"two"]]}]',
  '["error","AggregateError","odd",null,{"errors":5}]', '["error","Error","m",null,{"errors":[[["error","Error","e"]]]}]',
  '["error","AggregateError","m",null,{"code":7,"cause":["error","Error","c"],"errors":[[["error","Error","e"]]]}]', '["error","AggregateError","m",null,{"errors":[[["error","AggregateError","n",null,{"errors":[[["error","Error","e"]]]}]]]}]',
  // urls, headers
  '["url","https://example.com/p?q=1"]', '["url","https://example.com"]', '["url","HTTPS://EXAMPLE.com:443/a/../b"]', '["url","mailto:a@b.c"]',
  '["url","https://h\u00e9llo.example/\u00e9"]', '["url","nonsense"]', '["url",""]', '["url"]', '["url",5]', '["url","https://a.example/",1]',
  '["headers",[]]', '["headers",[["a","1"],["b","2"]]]', '["headers",[["X-B","2"],["X-A","1"]]]', '["headers",[["a","1"],["A","2"]]]',
  '["headers",[["set-cookie","a=1"],["Set-Cookie","b=2"]]]', '["headers",[["a"," 1 "]]]', '["headers"]', '["headers",{}]', '["headers","a"]', '["headers",[["a"]]]',
  '["headers",[["a","1","2"]]]', '["headers",["a"]]', '["headers",[["bad name","1"]]]', '["headers",[["","1"]]]', '["headers",[["a","1\\n2"]]]',
  '["headers",[["a",1]]]', '["headers",[],1]',
  // requests, responses
  '["request","https://example.com/",{}]', '["request","https://example.com/",{"method":"DELETE"}]', '["request","https://example.com/",{"method":"POST","headers":[["content-type","a/b"]],"body":"text","duplex":"half"}]',
  '["request","https://example.com/",{"method":"PUT","body":["bytes","AAEC"],"duplex":"half"}]', '["request","https://example.com/",{"headers":[["X-B","2"],["x-a","1"]]}]',
  '["request","https://example.com/",{"redirect":"manual"}]', '["request","https://example.com/",{"body":null}]', '["request"]', '["request","https://example.com/"]', '["request","https://example.com/",null]',
  '["request","https://example.com/",5]', '["request",5,{}]', '["request","https://example.com/",{},1]', '["request","https://example.com/",{"method":"POST","body":5}]',
  '["request","https://example.com/",{"method":"POST","body":["date",0]}]', '["request","https://example.com/",{"headers":{"a":"1"}}]', '["request","https://example.com/",{"signal":5}]',
  '["request","nonsense",{}]',
  '["response",null,{}]', '["response",null,{"status":404,"statusText":"Not Found"}]', '["response","text",{"headers":[["content-type","a/b"]]}]',
  '["response",["bytes","AAEC"],{"status":201}]', '["response",null,{"headers":[["X-B","2"],["x-a","1"]]}]', '["response"]', '["response",null]', '["response",null,null]',
  '["response",5,{}]', '["response",["date",0],{}]', '["response",null,{"headers":{"a":"1"}}]', '["response",null,{"webSocket":1}]', '["response",null,{},1]',
  '["response",null,{"status":99}]', '["response","text",{"status":204}]', '["response",null,"x"]',
  '["blob"]', '["blob","text/plain"]', '["blob",5,["readable",1]]', '["blob","text/plain","abc"]', '["blob","text/plain",["bytes","AA"]]', '["blob","text/plain",["readable",1],2]',
  // references
  '["import"]', '["import","1"]', '["import",5]', '["import",null]', '["import",5,[]]', '["import",5,[],[],1]', '["pipeline"]', '["pipeline",5]', '["pipeline",-3]', '["pipeline","x"]',
  '["pipeline",5,["a"]]', '["pipeline",5,["a"],[]]', '["pipeline",5,["a"],[],0]', '["remap"]', '["remap",5,[],[],[]]', '["remap",5,[],[]]', '["remap","5",[],[],[]]',
  '["remap",5,{},[],[]]', '["remap",5,[],{},[]]', '["remap",5,[],[],{}]', '["export"]', '["export","1"]', '["export",null]', '["promise"]', '["promise","1"]', '["writable"]',
  '["writable","1"]', '["readable"]', '["readable","1"]', '["readable",null]',
  // keys that objects inherit
  ...PROTO_NAMES.map(key => `{${x(key)}:1,"ok":2}`), '{"__proto__":{"polluted":1}}', '{"a":{"constructor":{"prototype":1}}}', '{"toString":[1,2]}',
  '{"__class__":1,"__init__":2,"__dict__":3,"hasattr":4}', '{"then":1}', '{"prototype":1,"length":2,"name":3}',
  // depth
  ["255 levels of arrays", nested(255, "1")], ["256 levels of arrays", nested(256, "1")], ["254 levels around an expression", nested(254, '["date",0]')],
  ["255 levels around an expression", nested(255, '["date",0]')], ["256 levels around an expression", nested(256, '["date",0]')], ["255 levels of objects", objects(255, "1")],
  ["256 levels of objects", objects(256, "1")], ["255 levels around an empty array", nested(255, "[[]]")], ["256 levels around an empty array", nested(256, "[[]]")],
  ["256 levels in an error's property", `["error","Error","m",null,{"p":${nested(255, "1")}}]`], ["254 levels in an error's property", `["error","Error","m",null,{"p":${nested(254, "1")}}]`],
  ["unknown expression below 254 levels", nested(254, "[1]")],
  // no JSON
  "", " ", "nope", "{", "[", "[[1,]]", '{"a":1,}', "{a:1}", "'a'", "NaN", "Infinity", "-Infinity", "[[NaN]]", "01", "+1", ".5", "1.", "0x1", '"\\x41"', '"\n"', "1 2", "undefined",
  "[[1]]x", "\u00a01", "\ufeff1", '"a',
];

// ---- writing

function thrown(error) {
  return { throws: [error.constructor.name, error.message] };
}

async function decoded(text) {
  try {
    return { value: await describe(deserialize(text)) };
  } catch (error) {
    return thrown(error);
  }
}

function encoded(description) {
  try {
    return { wire: serialize(build(description)) };
  } catch (error) {
    return thrown(error);
  }
}

const version = JSON.parse(readFileSync(new URL("node_modules/capnweb/package.json", import.meta.url))).version;
const encode = ENCODE.map(([name, value]) => ({ name, value, ...encoded(value) }));
const decode = [];
for (const entry of DECODE_TEXTS) {
  const [name, wire] = Array.isArray(entry) ? entry : [entry.length > 120 ? `${entry.slice(0, 60)}... (${entry.length})` : entry, entry];
  decode.push({ name, wire, ...await decoded(wire) });
}
for (const vectors of [encode, decode]) {
  const names = vectors.map(vector => vector.name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length) throw new Error(`names are given twice: ${twice}`);
}

// A text as it stands in the file: runs of one or two characters are counted, which keeps the file small and readable.
function shortened(key, value) {
  if (typeof value !== "string" || value.length < 200) return value;
  const parts = value.split(/((?:(.)\2{99,})|(?:(..)\3{49,})|(?:(\{"k":)\4{49,}))/su);
  if (parts.length === 1) return value;
  const shown = [];
  for (let i = 0; i < parts.length; i += 5) {
    if (parts[i]) shown.push(parts[i]);
    const run = parts[i + 2] ?? parts[i + 3] ?? parts[i + 4];
    if (run) shown.push([run, parts[i + 1].length / run.length]);
  }
  return { $text: shown };
}

// One vector a line, so that a change of one is a change of one line.
const lines = vectors => vectors.map(vector => `    ${JSON.stringify(vector, shortened)}`).join(",\n");
const text = `{\n  "package": ${x(`capnweb ${version}`)},\n  "encode": [\n${lines(encode)}\n  ],\n  "decode": [\n${lines(decode)}\n  ]\n}\n`;
writeFileSync(process.argv[2] ?? new URL("wire_vectors.json", import.meta.url), text);
console.log(`${encode.length} values encoded, ${decode.length} texts decoded`);
