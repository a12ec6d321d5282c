"""Plans, for the model in refcount_model: how one is carried out, in references, and a strategy that makes them. Rule:
what is said here is what docs/plans.md says; nothing of the runtime is used.

Every plan has three captures, and so has every block in it: -1 is a stub, -2 a promise that may be pending, -3 the main
object. In a block -4 is a value of what is around it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final, Protocol, TypeAlias

from hypothesis import strategies as st

FAILED: Final = "an error"
NOTHING: Final = "nothing"
NUMBER: Final = "a number"
PENDING: Final = "pending"
FORMS: Final = ("op", "if", "while", "keep")
WAIT: Final = ["op", "null", None]
"""An instruction of no other effect than that all before it has come to an end."""

Wire: TypeAlias = Any
Steps: TypeAlias = Generator[Any, None, Any]


class Values(list[Any]):
    """A list.

    Attributes:
        owners: how many own what is in it, together: who is the last gives it back.
    """

    owners = 1


class Later:
    """A result that is there later: of a plan, or of a call of such a result.

    Attributes:
        value: the result.
        waiting: called when it is there.
        work: what is left of a plan that runs.
        holds: what a plan holds as long as it runs.
        asked: whether somebody has asked for the result, who may give the plan up.
        needed: whether calls of the result depend on it, so that nobody can.
        dropped: whether nobody wants the result.
    """

    def __init__(self) -> None:
        self.value: Any = PENDING
        self.waiting: list[Callable[[], None]] = []
        self.work: Steps | None = None
        self.holds: list[Any] = []
        self.asked = self.needed = self.dropped = False


class Side(Protocol):
    """What a plan needs of the side that carries it out; see `refcount_model.Model`."""

    def copy(self, value: Any) -> Any: ...
    def drop(self, value: Any) -> None: ...
    def dup(self, value: Any) -> Any: ...
    def dup_promise(self, value: Any) -> Any: ...
    def pull(self, entry: Any) -> None: ...
    def run(self, target: Any, method: str, arg: Any) -> Any: ...


class Failed(Exception):
    """Something in the plan has failed, and so it has."""


def settled(value: Any) -> Any:
    """What a value has resolved to."""
    while getattr(value, "promise", False) and value.value is not PENDING:
        value = value.value
    return value


def is_pending(value: Any) -> bool:
    """Whether a value is a promise that has not resolved."""
    return bool(getattr(settled(value), "promise", False))


class Scope:
    """The values of a block.

    Parameters:
        side: who carries it out.
        captures: they stay with what is around.
        element: value 0, which does, too.
        headers: how many instructions are headers.
    """

    def __init__(self, side: Side, captures: list[Any], element: Any, headers: int = 0) -> None:
        self.side = side
        self.captures = captures
        self.values = [element, *[NOTHING] * headers]
        self.joined = len(self.values)

    def named(self, index: int) -> Any:
        """A value, which stays the block's."""
        return self.captures[-index - 1] if index < 0 else self.values[index]

    def block(self, instructions: list[Wire]) -> Steps:
        """Carries the block out. Returns its value, owned by the caller; raises Failed. Gives everything else back."""
        try:
            for wire in instructions:
                value = yield from self.instruction(wire)
                self.values.append(value)
            yield from self.join()
            return self.values.pop()
        finally:
            for value in self.values[1:]:
                self.side.drop(value)

    def inner(self, wire: Wire, element: Any) -> Steps:
        captures, instructions = wire
        inside = Scope(self.side, [self.named(index) for _, index in captures], element)
        return (yield from inside.block(instructions))

    def join(self) -> Steps:
        """Waits for what has been begun."""
        begun, self.joined = self.values[self.joined :], len(self.values)
        yield from self.resolved(begun)

    def resolved(self, values: list[Any]) -> Steps:
        """Waits for all of these, in order."""
        for value in values:
            if is_pending(value):
                self.side.pull(settled(value))
        for value in values:
            while is_pending(value):
                yield settled(value)
            if settled(value) is FAILED:
                raise Failed

    def instruction(self, wire: Wire) -> Steps:
        """The value of an instruction, owned by the caller."""
        if not isinstance(wire, list) or wire[0] not in FORMS:
            return self.expression(wire)
        yield from self.join()
        operand = self.expression(wire[2 if wire[0] == "op" else 1])
        try:
            yield from self.resolved([operand])
            if wire[0] == "op":
                return settled(operand) is NOTHING
            if wire[0] == "if":
                return (yield from self.inner(wire[2 if condition(operand) else 3], NOTHING))
            if wire[0] == "keep":
                return (yield from self.filter(operand, wire[2]))
        except BaseException:
            self.side.drop(operand)
            operand = NOTHING
            raise
        finally:
            if wire[0] != "while":
                self.side.drop(operand)
        return (yield from self.loop(operand, wire))

    def loop(self, state: Any, wire: Wire) -> Steps:
        try:
            for _ in range(wire[4]):
                if not (yield from self.asked(wire[2], state)):
                    break
                following = yield from self.inner(wire[3], state)
                self.side.drop(state)
                state = following
        except BaseException:
            self.side.drop(state)
            raise
        return state

    def filter(self, items: Any, block: Wire) -> Steps:
        if not isinstance(settled(items), list):
            raise Failed
        kept = []
        for item in settled(items):
            part = self.side.copy(item)
            try:
                if (yield from self.asked(block, part)):
                    kept.append(item)
            finally:
                self.side.drop(part)
        return self.side.copy(kept)

    def asked(self, block: Wire, element: Any) -> Steps:
        """What a block says that is a condition."""
        value = yield from self.inner(block, element)
        self.side.drop(value)
        return condition(value)

    def expression(self, wire: Wire) -> Any:
        """The value of an expression, owned by the caller."""
        if isinstance(wire, bool):
            return wire
        if not isinstance(wire, list):
            return NOTHING if wire is None else NUMBER
        if isinstance(wire[0], list):
            return Values(map(self.expression, wire[0]))
        if wire == ["pipeline", -2]:
            return self.side.dup_promise(self.named(-2))
        if len(wire) == 2:
            return self.side.dup(self.named(wire[1]))
        _, target, [method], args = wire
        arg = self.expression(args[0]) if args else None
        return self.side.run(self.named(target), method, arg)


def condition(value: Any) -> bool:
    """Whether a value is true, which has to be a boolean."""
    value = settled(value)
    if not isinstance(value, bool):
        raise Failed
    return value


# ---- plans that are made at random


@st.composite
def plans(draw: st.DrawFn) -> list[Wire]:
    """The instructions of a plan, the header among them."""
    return [["plan", 1], *draw(blocks(low=1, known=2, depth=0))]


@st.composite
def blocks(draw: st.DrawFn, low: int, known: int, depth: int) -> list[Wire]:
    """The instructions of a block.

    Parameters:
        draw: draws.
        low: the first of its values that may be named as one.
        known: how many values there are before them.
        depth: of the block.
    """
    made: list[Wire] = []
    for _ in range(draw(st.integers(1, 4 if depth == 0 else 2))):
        made += draw(instructions(low, known + len(made), depth))
    return made


@st.composite
def instructions(draw: st.DrawFn, low: int, known: int, depth: int) -> list[Wire]:
    """An instruction, and what has to stand before it."""
    kinds = ["call", "pass", "value", "list", "null", *(["if", "while", "keep"] if depth < 2 else [])]
    kind = draw(st.sampled_from(kinds))
    inner = (-4,) if depth else ()
    value = st.sampled_from([*range(low, known), *inner, -2]).map(lambda index: ["pipeline", index])
    if kind == "call":
        target = draw(st.sampled_from([-1, -2, -3, *inner, *range(known)]))
        return [["pipeline", target, [draw(st.sampled_from(["make", "touch", "three", "two", "give"]))], []]]
    if kind == "value":
        return [draw(st.one_of(value, st.sampled_from([True, False, None, 5, ["import", -1], ["import", -3]])))]
    if kind == "null":
        return [["op", "null", draw(value)]]
    # What stands in lists, and in arguments of the main object's methods, is there: all has been waited for. What is
    # passed on to others as a promise, and -2, is for other tests.
    stubs = st.sampled_from([["import", -1], ["import", -3]])
    here = st.one_of(stubs, st.sampled_from([["pipeline", index] for index in [*range(low, known), *inner]]))
    if kind == "pass":
        method = draw(st.sampled_from(["echo", "ignore", "keep"]))
        if draw(st.booleans()):
            return [WAIT, ["pipeline", -3, [method], [draw(here)]]]
        return [["pipeline", draw(st.sampled_from([-1, -2, *inner, *range(known)])), [method], [draw(stubs)]]]
    if kind == "list":
        return [WAIT, [draw(st.lists(here, max_size=2))]]
    return [draw(forms(kind, low, known, depth, value))]


@st.composite
def forms(draw: st.DrawFn, kind: str, low: int, known: int, depth: int, value: st.SearchStrategy[Wire]) -> Wire:
    """A branch, a loop or a filter."""

    def block() -> Wire:
        around = draw(st.integers(low, known - 1))
        captures = [["import", -1], ["import", -2], ["import", -3], ["import", around]]
        return [captures, draw(blocks(low=0, known=1, depth=depth + 1))]

    def asking() -> Wire:
        captures, inside = block()
        return [captures, [*inside, draw(st.sampled_from([True, True, True, False, WAIT, 5, ["import", -1]]))]]

    if kind == "if":
        condition = draw(st.one_of(st.sampled_from([True, False, 5]), value))
        return ["if", condition, block(), block()]
    if kind == "while":
        state = draw(st.one_of(value, st.just(["import", -1])))
        return ["while", state, asking(), block(), draw(st.integers(1, 3))]
    items = draw(st.one_of(value, st.just([[["import", -1], ["import", -3], 5]])))
    return ["keep", items, asking()]
