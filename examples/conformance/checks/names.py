"""What can be reached by name, and what cannot."""

from __future__ import annotations

from typing import Any

from examples.conformance.checks.base import Ground, aborts, answers, call, check, equal, fails, read, true

MISSING = ["undefined"]

answers("a missing property is undefined", 14, expression=read("nonesuch"), answer=MISSING)
answers(
    "one step beyond a missing property is a TypeError", 14, expression=read("nonesuch", "x"),
    answer=["reject", ["error", "TypeError", "Cannot read properties of undefined (reading 'x')"]],
)  # fmt: skip


def names_the_missing(name: str, *points: int, expression: Any, missing: str) -> None:
    """Make a check: a call is rejected with a TypeError that names what is no function; it may say of what, too."""

    @check(name, *points)
    async def rejected(ground: Ground) -> None:
        wire = await ground.wire()
        kind, _, error = await wire.ask(1, expression)
        equal([kind, error[1]], ["reject", "TypeError"])
        true(error[2].startswith(f"'{missing}' is not a function"), f"it is {error}")


names_the_missing(
    "calling a missing method is a TypeError that names it", 14, expression=call("nonesuch"), missing="nonesuch"
)
answers(
    "calling what is no function names the whole path", 14, expression=call(["config", "mode", "nope"]),
    answer=["reject", ["error", "TypeError", "'config.mode.nope' is not a function."]],
)  # fmt: skip
names_the_missing("the main itself is no function", 14, expression=call([]), missing="")
answers("a missing property of a result is undefined", 14, expression=read("config", "nonesuch"), answer=MISSING)
for _name in ("constructor", "toString", "hasOwnProperty", "__proto__"):
    answers(f"{_name} of an object is undefined", 15, expression=read("config", _name), answer=MISSING)
    answers(f"{_name} of the main is undefined", 15, expression=read(_name), answer=MISSING)
for _name in ("__class__", "__dict__", "__init__", "__globals__", "_counter", "dispose", "mro"):
    answers(f"{_name} is absent", 15, expression=read(_name), answer=MISSING)
    names_the_missing(f"{_name} is no function", 15, expression=call(_name), missing=_name)
answers("attributes of a method are absent", 15, expression=read("square", "__globals__"), answer=MISSING)
answers("a number in a path picks an item", 16, expression=read("config", "nested", "deep", 1), answer=20)
answers("an index beyond the end is undefined", 16, expression=read("config", "nested", "deep", 3), answer=MISSING)
answers("a negative index is undefined", 16, expression=read("config", "nested", "deep", -1), answer=MISSING)
answers("length of a list is undefined", 16, expression=read("config", "nested", "deep", "length"), answer=MISSING)
answers("length of text is undefined", 16, expression=read("version", "length"), answer=MISSING)
answers("an item of text is undefined", 16, expression=read("version", 0), answer=MISSING)


@check("bytes, dates and errors have no properties", 16)
async def leaves(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("allTypes")])
    for number, (name, prop) in enumerate([("bytes", 0), ("date", "getTime"), ("err", "message"), ("url", "href")], 2):
        await wire.send(["push", ["pipeline", 1, [name, prop]]], ["pull", number])
        equal(await wire.answer(number), ["resolve", number, MISSING])


@check("a path leads into a result", 14)
async def into_result(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("getNested")], ["push", ["pipeline", 1, ["a", "b", "c", 2]]], ["pull", 2])
    equal(await wire.answer(2), ["resolve", 2, [[30]]])


@check("an instance attribute cannot be read", 15, both=True)
async def instance_attribute(ground: Ground) -> None:
    """It reads as undefined, or is refused by name."""
    if ground.transport == "HTTP batch":
        _, [(kind, _, value)] = await ground.batch(["push", read("instanceField")], ["pull", 1])
    else:
        kind, _, value = await (await ground.wire()).ask(1, read("instanceField"))
    refused = kind == "reject" and value[1] == "TypeError" and "instanceField" in value[2]
    true(refused or value == MISSING, f"it is {value}")


@check("an instance attribute cannot be called", 15)
async def instance_attribute_called(ground: Ground) -> None:
    wire = await ground.wire()
    kind, _, value = await wire.ask(1, call("instanceField"))
    true(kind == "reject" and value[1] == "TypeError" and "instanceField" in value[2], f"it is {value}")


@check("methods of a capability are those of its interface")
async def other_interface(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("authenticate", "secret")], ["push", ["pipeline", 1, ["square"], [2]]], ["pull", 2])
    kind, _, value = await wire.answer(2)
    equal([kind, value[1]], ["reject", "TypeError"])
    true(value[2].startswith("'square' is not a function"), f"it is {value}")


@check("a typed stub says which method is missing", 14)
async def missing_in_stub(ground: Ground) -> None:
    api = await ground.session()
    counter = await api.return_stub(api.make_counter(1))
    await fails(counter.call("nope"), "TypeError", "'nope' is not a function")


for _part in (None, True, {"a": 1}, ["b"]):
    aborts(
        f"the path part {_part!r} aborts",
        17,
        frames=[["push", ["pipeline", 0, [_part]]]],
        kind="TypeError",
        parts=("unknown",),
    )
aborts("a path that is no list aborts", 17, frames=[["push", ["pipeline", 0, "version"]]], kind="TypeError")
aborts("arguments that are no list abort", 17, frames=[["push", ["pipeline", 0, ["square"], 3]]], kind="TypeError")
