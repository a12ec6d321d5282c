"""Values of every type, there and back, and what a server makes of expressions that are unusual or wrong."""

from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime
from typing import Any

from capnweb_runtime import (
    UNDEFINED,
    BigInt,
    Headers,
    RangeError,
    Request,
    Response,
    RpcError,
    Uint8ClampedArray,
    Url,
    WireDate,
)
from examples.conformance.checks.base import (
    CHECKS,
    Check,
    Ground,
    aborts,
    alike,
    answers,
    call,
    check,
    equal,
    fails,
    failure,
    nested,
    true,
)

ROUND_TRIPS: list[tuple[str, tuple[int, ...], Any]] = [
    ("null, true and false", (12,), [None, True, False]),
    ("undefined", (12,), UNDEFINED),
    ("undefined inside", (12,), [UNDEFINED, {"a": UNDEFINED, "b": None}]),
    ("text", (), ["", "a", 'quote " and \\', "h\u00e9llo \U0001f600 \u2028", "\x00\x1f"]),
    ("lone surrogates", (), ["\ud800", "a\udc00"]),
    ("integers", (4,), [0, 1, -1, 2**31, -(2**31), 2**53 - 1, -(2**53 - 1)]),
    ("fractions", (4,), [1.5, -0.25, 0.1, 5e-324, 1.7976931348623157e308]),
    ("numbers beyond 2^53", (4,), [float(2**53), 1e21, -1e100]),
    ("infinities and nan", (5,), [float("inf"), float("-inf"), float("nan")]),
    ("big integers", (6,), [BigInt(5), BigInt(-1), BigInt(2**64), BigInt(-(10**60))]),
    ("dates", (7,), [datetime.fromtimestamp(0, UTC), datetime(2023, 11, 14, 22, 13, 20, 123000, UTC)]),
    ("an invalid date", (7,), WireDate(None)),
    ("dates outside of years 1 to 9999", (7,), [WireDate(-8.64e15), WireDate(8.64e15)]),
    ("bytes", (8,), [b"", b"\x00\x01\xfe\xff", bytes(1000)]),
    (
        "byte containers",
        (8,),
        [bytearray(b"ab"), memoryview(b"ab"), Uint8ClampedArray(b"\xff"), array("h", [-1, 258]), array("d", [0.5])],
    ),
    ("empty containers", (2,), [[], {}, [[]], [{}], {"a": []}]),
    ("lists in lists", (2,), [[1], [[2]], [[[]]]]),
    ("lists that look like expressions", (2,), [["date", 0], ["undefined"], [["bytes", "AA"]]]),
    ("keys that Python objects have", (10,), {"__class__": 1, "__init__": 2, "__dict__": 3, "self": 4, "": 5}),
    ("keys in their order", (10,), {"z": 1, "a": 2, "m": {"y": 1, "x": 2}}),
    ("a URL", (13,), Url("https://example.com/p?q=1#f")),
    ("headers", (13,), Headers([("x-a", "1"), ("x-b", "2")])),
    ("a request", (13,), Request("https://example.com/a", "DELETE", Headers([("x-a", "1")]))),
    ("a response", (13,), Response(None, 204, "Nothing", Headers([("x-a", "1")]))),
]


def _round_trip(name: str, points: tuple[int, ...], value: Any) -> None:
    async def run(ground: Ground) -> None:
        equal(await ground.ask(lambda api: api.echo(value)), value)

    CHECKS.append(Check(f"echo gives back {name} (WebSocket)", points, "WebSocket", run))
    CHECKS.append(Check(f"echo gives back {name} (HTTP batch)", points, "HTTP batch", run))


for _name, _points, _value in ROUND_TRIPS:
    _round_trip(_name, _points, _value)


@check("arguments are counted, undefined and null among them", 12, both=True)
async def counted(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.arg_count()), 0)
    equal(await ground.ask(lambda api: api.arg_count(1, 2, 3)), 3)
    equal(await ground.ask(lambda api: api.arg_count(UNDEFINED)), 1)
    equal(await ground.ask(lambda api: api.arg_count(None, UNDEFINED)), 2)


@check("values have their kinds", 11, both=True)
async def kinds(ground: Ground) -> None:
    values: dict[str, Any] = {
        "null": None,
        "undefined": UNDEFINED,
        "boolean": False,
        "number": 1.5,
        "string": "a",
        "bigint": BigInt(1),
        "date": WireDate(None),
        "bytes:Uint8Array": b"a",
        "array": [],
        "object": {},
        "error:TypeError": TypeError("t"),
        "url": Url("https://example.com/"),
        "headers": Headers([("a", "1")]),
        "request": Request("https://example.com/"),
        "response": Response(),
    }
    equal(await ground.ask(lambda api: api.arg_kinds(*values.values())), list(values))


@check("byte containers have their kinds", 8, both=True)
async def byte_kinds(ground: Ground) -> None:
    values: dict[str, Any] = {
        "ArrayBuffer": bytearray(8),
        "DataView": memoryview(bytes(8)),
        "Uint8ClampedArray": Uint8ClampedArray(8),
        "Int8Array": array("b", [1]),
        "Int16Array": array("h", [1]),
        "Uint16Array": array("H", [1]),
        "Int32Array": array("i", [1]),
        "Uint32Array": array("I", [1]),
        "BigInt64Array": array("q", [1]),
        "BigUint64Array": array("Q", [1]),
        "Float32Array": array("f", [1]),
        "Float64Array": array("d", [1]),
    }
    got = await ground.ask(lambda api: api.arg_kinds(*values.values()))
    equal(got, [f"bytes:{name}" for name in values])


@check("one value of each type, in order", 4, 5, 6, 7, 8, 13, both=True)
async def all_types(ground: Ground) -> None:
    got = await ground.ask(lambda api: api.all_types())
    error = got.pop("err")
    wanted: dict[str, Any] = {
        "nul": None, "undef": UNDEFINED, "t": True, "f": False, "int": 42, "neg": -7, "frac": 1.5, "big": 2**53 - 1,
        "inf": float("inf"), "ninf": float("-inf"), "nan": float("nan"), "str": "h\u00e9llo \U0001f600",
        "bigint": BigInt(123456789012345678901234567890), "date": datetime.fromtimestamp(1_700_000_000, UTC),
        "bad": WireDate(None), "bytes": b"\x00\x01\xfe\xff", "i16": array("h", [-1, 258]), "f64": array("d", [0.5]),
        "arr": [], "nested": [[1], [], [[2]]], "obj": {}, "url": Url("https://example.com/p?q=1"),
        "headers": Headers([("x-a", "1"), ("x-b", "2")]),
    }  # fmt: skip
    equal(list(got), list(wanted))
    for key, value in wanted.items():
        true(alike(got[key], value), f"{key} is {got[key]!r}, not {value!r}")
    true(isinstance(error, RangeError) and str(error) == "inner", f"err is {error!r}")


# ---- depth and escapes


@check("255 levels of nesting are a result", 1, both=True)
async def deep_result(ground: Ground) -> None:
    value: Any = await ground.ask(lambda api: api.make_deep(255))
    levels = 0
    while value != "bottom" and levels < 300:
        value = value[0]
        levels += 1
    equal(levels, 255)


@check("256 levels of nesting reject that call only", 1, 18)
async def too_deep_result(ground: Ground) -> None:
    api = await ground.session()
    true("depth" in str(await failure(api.make_deep(256))), "the error does not speak of the depth")
    equal(await api.square(2), 4)


@check("254 levels in an argument pass, the list of arguments being one", 1)
async def deep_argument(ground: Ground) -> None:
    wire = await ground.wire()
    deep = nested(254, "bottom")
    await wire.send(["push", call("echo", deep)], ["pull", 1])
    equal(await wire.text(), json.dumps(["resolve", 1, deep], separators=(",", ":")))


aborts(
    "an argument of 256 levels aborts", 1, frames=[["push", call("echo", nested(256, "bottom"))]], kind="TypeError",
    parts=("Deserialization exceeded maximum allowed message depth of 256.",),
)  # fmt: skip
aborts(
    "nested calls share the message's depth", 1,
    frames=[["push", call("echo", nested(200, call("echo", nested(100, "x"))))]], kind="TypeError",
    parts=("maximum allowed message depth",),
)  # fmt: skip
answers("a list is escaped by a list around it", 2, expression=call("getMatrix"), answer=[[[[1, 2]], [[3]], [[]]]])
_unknown: list[list[Any]] = [[], [1], [1, 2], [[1], 2], ["what"], ["what", {"a": [None]}], [None]]
for _wrong in _unknown:
    _text = str(_wrong).replace("'", '"').replace("None", "null").replace(", ", ",").replace(": ", ":")
    aborts(
        f"{_text} is an unknown expression, which the error shows", 2, 18, frames=[["push", call("echo", _wrong)]],
        kind="TypeError", parts=(f"unknown special value: {_text}",),
    )  # fmt: skip
_too_long: list[list[Any]] = [["undefined", 1], ["url", "https://example.com/", 1], ["headers", [], 1]]
for _wrong in _too_long:
    aborts(
        f"a further element of {_wrong[0]} is refused", 3, frames=[["push", call("echo", _wrong)]],
        kind="TypeError",
    )  # fmt: skip
answers(
    "a further element of other expressions is ignored", 3,
    expression=call("argKinds", ["inf", 1], ["nan", 1], ["bigint", "1", 2], ["date", 0, 1]),
    answer=[["number", "number", "bigint", "date"]],
)  # fmt: skip


# ---- numbers, dates, bytes

answers("1e400 is Infinity", 4, expression='["pipeline",0,["echo"],[1e400]]', answer=["inf"])
answers("an integer of 400 digits is Infinity", 4, expression=f'["pipeline",0,["echo"],[{"9" * 400}]]', answer=["inf"])
answers(
    "an integer of 5000 digits is -Infinity", 4, expression=f'["pipeline",0,["echo"],[-{"9" * 5000}]]', answer=["-inf"]
)


@check("an integer beyond 2^53 stays a number", 4)
async def large_integer(ground: Ground) -> None:
    wire = await ground.wire()
    kind, _, value = await wire.ask(1, call("echo", 2**53))
    true(kind == "resolve" and isinstance(value, (int, float)) and value == 2**53, f"it became {value!r}")


for _literal in ("NaN", "Infinity", "-Infinity"):
    aborts(
        f"{_literal} as a JSON literal aborts", 5, frames=[f'["push",["pipeline",0,["echo"],[{_literal}]]]'], kind=None
    )
for _text, _digits in ((" 12 ", "12"), ("", "0"), ("+5", "5"), ("0xff", "255"), ("0o17", "15"), ("0b101", "5")):
    answers(
        f"the bigint {_text!r} is {_digits}", 6, expression=call("echo", ["bigint", _text]), answer=["bigint", _digits]
    )
for _text in ("1_000", "-0xff", "5n", "1e3", "\u0661"):
    aborts(
        f"the bigint {_text!r} is refused", 6, frames=[["push", call("echo", ["bigint", _text])]], kind="SyntaxError"
    )
answers("a bigint of 16384 characters passes", 6, expression=call("kindOf", ["bigint", "9" * 16384]), answer="bigint")
aborts(
    "a bigint of 16385 characters is refused", 6, frames=[["push", call("echo", ["bigint", " " + "9" * 16384])]],
    kind="TypeError", parts=("maximum length of 16384",),
)  # fmt: skip
answers(
    "fractions of a date's milliseconds are cut off", 7, expression=call("echo", ["date", -1.9]), answer=["date", -1]
)
answers("a date out of range is invalid", 7, expression=call("echo", ["date", 8.65e15]), answer=["date", None])
answers("bytes are sent without padding", 8, expression=call("echo", ["bytes", "AAH+/w=="]), answer=["bytes", "AAH+/w"])
answers("URL-safe base64 is read", 8, expression=call("echo", ["bytes", "AAH-_w"]), answer=["bytes", "AAH+/w"])
answers(
    "white space and garbage in base64 are passed over", 8, expression=call("echo", ["bytes", " AA\nH*+/w"]),
    answer=["bytes", "AAH+/w"],
)  # fmt: skip
answers(
    "a marker of Uint8Array is the same as none", 8, expression=call("echo", ["bytes", "AAE", "Uint8Array"]),
    answer=["bytes", "AAE"],
)  # fmt: skip
aborts(
    "an unknown byte container is refused", 8, frames=[["push", call("echo", ["bytes", "AA", "Float16Array"])]],
    kind="TypeError", parts=("Unknown bytes type marker: Float16Array",),
)  # fmt: skip
aborts(
    "bytes that do not fill their container are refused", 8,
    frames=[["push", call("echo", ["bytes", "AAAA", "Int16Array"])]], kind="TypeError",
    parts=("Invalid byte length 3 for Int16Array; expected a multiple of 2",),
)  # fmt: skip


# ---- errors


@check("an error has its type and message", 9, both=True)
async def error(ground: Ground) -> None:
    await fails(ground.ask(lambda api: api.throw_error()), "RangeError", "test error")


@check("the types of errors that JavaScript has keep their names", 9)
async def error_types(ground: Ground) -> None:
    for name in ("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"):
        api = await ground.session()
        await fails(api.throw_named(name, f"a {name}"), name, f"a {name}")


@check("properties and cause travel with an error", 9, both=True)
async def rich_error(ground: Ground) -> None:
    got: Any = await failure(ground.ask(lambda api: api.throw_rich()))
    true(isinstance(got, TypeError) and str(got) == "rich error", f"it is {got!r}")
    equal(
        getattr(got, "props", None),
        {"code": 42, "details": {"list": [1, "two"], "when": datetime.fromtimestamp(0, UTC)}},
    )
    true(str(got.__cause__) == "root cause", f"its cause is {got.__cause__!r}")


@check("errors of an aggregate travel with it", 9, both=True)
async def aggregate(ground: Ground) -> None:
    got: Any = await failure(ground.ask(lambda api: api.throw_aggregate()))
    true(isinstance(got, ExceptionGroup), f"it is {got!r}")
    equal([str(inner) for inner in got.exceptions], ["e1", "e2"])


@check("a value that is thrown arrives as an error that has it", 9, both=True)
async def thrown_value(ground: Ground) -> None:
    got: Any = await failure(ground.ask(lambda api: api.throw_value("bare")))
    equal(getattr(got, "props", None), {"value": "bare"})


@check("a later rejection", 9, both=True)
async def later_rejection(ground: Ground) -> None:
    await fails(ground.ask(lambda api: api.reject_later("too late", 5)), "Error", "too late")


@check("an error is an argument, with its properties", 9, both=True)
async def error_argument(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.kind_of(RangeError("r"))), "error:RangeError")
    got = await ground.ask(lambda api: api.echo({"e": RpcError("m", "TypeError", code=[1])}))
    true(isinstance(got["e"], TypeError) and str(got["e"]) == "m", f"it is {got!r}")
    equal(got["e"].props, {"code": [1]})


answers(
    "an error with nothing more has three elements", 9, expression=call("throwError"),
    answer=["reject", ["error", "RangeError", "test error"]],
)  # fmt: skip
answers(
    "an error's properties stand in the fifth element, after null", 9, expression=call("throwRich"),
    answer=["reject", ["error", "TypeError", "rich error", None, {
        "code": 42, "details": {"list": [[1, "two"]], "when": ["date", 0]},
        "cause": ["error", "Error", "root cause"]}]],
)  # fmt: skip


# ---- objects, and what cannot travel

answers(
    "keys that JavaScript objects inherit are dropped", 10,
    expression=call("echo", {"constructor": 1, "toString": 2, "__proto__": {"x": 1}, "__defineGetter__": 3, "ok": 4}),
    answer={"ok": 4},
)  # fmt: skip
answers("toJSON is dropped", 10, expression=call("echo", {"toJSON": [[1]], "ok": 4}), answer={"ok": 4})
aborts(
    "what is dropped is evaluated all the same", 10, frames=[["push", call("echo", {"valueOf": ["what"]})]],
    kind="TypeError", parts=('unknown special value: ["what"]',),
)  # fmt: skip


@check("a capability under a key that is dropped is released", 10)
async def dropped_capability(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("argCount", {"constructor": ["export", -1]})], ["pull", 1])
    equal(await wire.wait("release"), ["release", -1, 1])


@check("a result that cannot be serialized rejects, and the session lives", 11, 18, both=True)
async def unserializable(ground: Ground) -> None:
    await fails(ground.ask(lambda api: api.return_unserializable()), "TypeError", "Cannot serialize value: ")
    equal(await ground.ask(lambda api: api.square(3)), 9)


@check("an argument that cannot be serialized is refused before anything is sent", 11)
async def unserializable_argument(ground: Ground) -> None:
    api = await ground.session()

    async def send() -> None:
        await api.echo(object())

    await fails(send(), "TypeError", "Cannot serialize value: ")
    equal(await api.square(3), 9)


answers(
    "undefined in a list is an expression",
    12,
    expression=call("echo", [[["undefined"], 1]]),
    answer=[[["undefined"], 1]],
)
answers("trailing undefined arguments count", 12, expression=call("argCount", ["undefined"], ["undefined"]), answer=2)
answers(
    "headers are lower-cased, sorted and joined, cookies kept apart", 13,
    expression=call("echo", ["headers", [
        ["X-B", "2"], ["Set-Cookie", "a"], ["x-a", "1"], ["x-b", "3"], ["set-cookie", "b"]]]),
    answer=["headers", [["set-cookie", "a"], ["set-cookie", "b"], ["x-a", "1"], ["x-b", "2, 3"]]],
)  # fmt: skip
answers(
    "a URL is told from text",
    13,
    expression=call("argKinds", ["url", "https://a.example/"], "x"),
    answer=[["url", "string"]],
)
