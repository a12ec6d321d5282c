"""map(): functions that are recorded here and applied there."""

from __future__ import annotations

from typing import Any

from examples.conformance.checks.base import (
    Ground,
    Message,
    Wire,
    aborts,
    call,
    check,
    equal,
    fails,
    is_expression,
    true,
)
from examples.conformance.generated.conformance import ConformanceApiStub

LIST = ["config", "nested", "deep"]
"""Path to [10, 20, 30]."""


async def mapped(wire: Wire, number: int, expression: Any) -> list[Any]:
    """The results of a remap: inline, or as promises of which each has an answer of its own."""
    kind, _, value = await wire.ask(number, expression)
    equal(kind, "resolve")
    [items] = value
    answers: dict[int, Any] = {}
    while any(_promise(item) not in (None, *answers) for item in items):
        kind, promise, result = await wire.wait("resolve", "reject")
        true(kind == "resolve", f"an element was rejected: {result}")
        answers[promise] = result
    return [item if _promise(item) is None else answers[item[1]] for item in items]


def _promise(item: Any) -> int | None:
    return item[1] if is_expression(item, "promise") else None


async def refused(ground: Ground, instructions: list[Any], error: Message) -> None:
    """Fail unless these instructions reject, with the session alive."""
    wire = await ground.wire()
    equal(await wire.ask(1, ["remap", 0, LIST, [], instructions]), ["reject", 1, error])
    await wire.alive(2)


@check("map applies to each item of a list", 34, both=True)
async def over_list(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.generate_fibonacci(6).map(api.square)), [0, 1, 1, 4, 9, 25])
    equal(await ground.ask(lambda api: api.generate_fibonacci(0).map(api.square)), [])


@check("map to attributes, and to objects of promises and constants", 34, 35, both=True)
async def to_attributes(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.get_list().map(lambda item: item.name)), ["one", "two", "three"])
    got = await ground.ask(lambda api: api.get_list().map(lambda item: {"n": item.id, "sq": api.square(item.id)}))
    equal(got, [{"n": 1, "sq": 1}, {"n": 2, "sq": 4}, {"n": 3, "sq": 9}])


@check("maps in maps", 36, both=True)
async def nested(ground: Ground) -> None:
    got = await ground.ask(lambda api: api.get_matrix().map(lambda row: row.map(lambda i: api.add(i, i))))
    equal(got, [[2, 4], [6], []])


@check("map over the results of a capability", 36, both=True)
async def of_capability(ground: Ground) -> None:
    async def names(api: ConformanceApiStub) -> list[str]:
        authed = api.authenticate("secret")
        return await authed.get_friend_ids().map(lambda friend: authed.get_friend(friend).name)

    equal(await ground.ask(names), ["friend-7", "friend-8", "friend-9"])


@check("null and undefined pass through a map", 34)
async def over_nothing(ground: Ground) -> None:
    wire = await ground.wire()
    for number, name, value in ((1, "returnNull", None), (3, "returnUndefined", ["undefined"])):
        await wire.send(["push", call(name)])
        expression = ["remap", number, [], [["import", 0]], [["pipeline", -1, ["square"], [["pipeline", 0]]]]]
        equal(await wire.ask(number + 1, expression), ["resolve", number + 1, value])


@check("a map of what is no list applies once", 34)
async def over_one(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("returnNumber", 5)])
    expression = ["remap", 1, [], [["import", 0]], [["pipeline", -1, ["square"], [["pipeline", 0]]]]]
    equal(await wire.ask(2, expression), ["resolve", 2, 25])


@check("an item that is null is mapped like others", 34)
async def null_item(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("echo", [[None, 1]])])
    expression = ["remap", 1, [], [["import", 0]], [["pipeline", -1, ["kindOf"], [["pipeline", 0]]]]]
    equal(await mapped(wire, 2, expression), ["null", "number"])


@check("an error in one element rejects the whole", 34)
async def one_fails(ground: Ground) -> None:
    api = await ground.session()
    await fails(api.get_list().map(lambda item: api.throw_named("RangeError", item.name)), "RangeError")
    equal(await api.square(2), 4)


@check("the last instruction is the result, earlier ones are its variables", 35)
async def instructions(ground: Ground) -> None:
    wire = await ground.wire()
    square = ["pipeline", -1, ["square"], [["pipeline", 0]]]
    again = ["pipeline", -1, ["square"], [["pipeline", 1]]]
    equal(await mapped(wire, 1, ["remap", 0, LIST, [["import", 0]], [square, again]]), [10_000, 160_000, 810_000])


@check("-k is the k-th capture", 35, 36)
async def captures(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("makeCounter", 1)])
    instruction = ["pipeline", -2, ["increment"], [["pipeline", 0]]]
    expression = ["remap", 0, LIST, [["import", 0], ["import", 1]], [instruction]]
    equal(await mapped(wire, 2, expression), [11, 31, 61])


@check("a constant is copied for each element", 35)
async def constant(ground: Ground) -> None:
    wire = await ground.wire()
    equal(await mapped(wire, 1, ["remap", 0, LIST, [], [{"k": [[7]]}]]), [{"k": [[7]]}] * 3)


@check("captures of a nested map are those of the map around it", 36)
async def nested_captures(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("getMatrix")])
    inner = ["remap", 0, [], [["import", -1]], [["pipeline", -1, ["square"], [["pipeline", 0]]]]]
    rows = await mapped(wire, 2, ["remap", 1, [], [["import", 0]], [inner]])
    equal([len(row[0]) for row in rows], [2, 1, 0])


@check("a capture of the client's is called for each element, and then released", 36)
async def exported_capture(ground: Ground) -> None:
    wire = await ground.wire()
    expression = ["remap", 0, LIST, [["export", -1]], [["pipeline", -1, [], [["pipeline", 0]]]]]
    await wire.send(["push", expression], ["pull", 1])
    asked: list[Any] = []
    resolved: dict[int, Any] = {}
    released = False
    while len(asked) < 3 or not released or any(_promise(item) not in (None, *resolved) for item in asked):
        message = await wire.next()
        if message[0] == "push":
            asked.append(message[1][3][0])
            await wire.send(["resolve", len(asked), None])
        elif message[0] == "resolve":
            resolved[message[1]] = message[2]
        released = released or message == ["release", -1, 1]
    equal([resolved.get(_promise(item) or 0, item) for item in asked], [10, 20, 30])


@check("a map without instructions is rejected", 35)
async def empty(ground: Ground) -> None:
    await refused(ground, [], ["error", "Error", "Invalid empty mapper function."])


@check("a map that exports is rejected", 35, 37)
async def exports(ground: Ground) -> None:
    await refused(ground, [["export", -1]], ["error", "Error", "A mapper function cannot refer to exports."])


@check("a reference forward in a map is rejected", 35)
async def forward(ground: Ground) -> None:
    await refused(ground, [["pipeline", 2]], ["error", "Error", "no such entry on exports table: 2"])


for _capture in (["pipeline", 0], ["import"], 5, ["import", "0"]):
    aborts(
        f"the capture {_capture} aborts", 35, frames=[["push", ["remap", 0, LIST, [_capture], [1]]]], kind="TypeError",
        parts=("unknown map capture: ",),
    )  # fmt: skip
aborts(
    "a remap of too few elements aborts",
    35,
    frames=[["push", ["remap", 0, LIST, []]]],
    kind="TypeError",
    parts=("unknown",),
)


@check("an asynchronous mapper function is refused here", 37)
async def asynchronous(ground: Ground) -> None:
    api = await ground.session()

    async def mapper(item: Any) -> Any:
        return await item.name

    try:
        _ = api.get_list().map(mapper)
    except TypeError:
        return
    true(False, "it was accepted")


@check("a mapper function that hands out a function is refused here", 37)
async def hands_out(ground: Ground) -> None:
    api = await ground.session()

    try:
        _ = api.get_list().map(lambda item: api.call_function(lambda x: x, item.id))
    except TypeError:
        equal(await api.square(2), 4)
    else:
        true(False, "it was accepted")
