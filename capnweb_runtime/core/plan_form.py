"""Plans as they stand on the wire: read, and checked before anything of them runs. Rule: what cannot be carried out, or
must go beyond a bound, is refused here.

A plan is the instructions of a `remap` that begin with `["plan", 1]`. `docs/plans.md` is the specification.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from capnweb_runtime.core.evaluate_leaves import unknown
from capnweb_runtime.core.hook import Wire
from capnweb_runtime.core.plan_ops import OPERANDS
from capnweb_runtime.core.weight import AT_ONCE, NESTED, Walk, counting_bytes, counting_steps, finished
from capnweb_runtime.errors import LimitExceeded, ProtocolError
from capnweb_runtime.limits import Limits

HEADER: Final = ("plan", 1)
"""The first instruction: the name, and the version of the form."""
NODES_PER_UNIT: Final = 4
"""Nodes that are looked at for a unit of work."""
T = TypeVar("T")
Reading: TypeAlias = Generator[int, None, T]
"""What is read step by step: after each it gives the units of work that have been done so far."""
Kind: TypeAlias = Literal["value", "op", "if", "while", "keep"]
_LEAVES: Final = frozenset(
    ("bigint", "date", "bytes", "error", "undefined", "inf", "-inf", "nan", "url", "headers", "request", "response")
)
"""Expressions that name nothing of anybody's; what stands in them may."""
_BLOCKS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "if": (("then", 2), ("else", 3)),
    "while": (("while", 2), ("do", 3)),
    "keep": (("keep", 2),),
}
_LENGTHS: Final = {"if": 4, "while": 5, "keep": 3}


class Instruction(NamedTuple):
    """One instruction.

    Attributes:
        kind: what it does; "value" for every expression of the protocol.
        place: where it stands, as errors name it.
        operands: the expressions in it.
        calls: how many calls are among these; those of nested maps are not.
        steps: what it takes each time that it is carried out, without its blocks.
        made: bytes that it makes each time.
        name: of the operation.
        blocks: the two arms, the condition and the body, or the condition.
        most: turns that it takes at most.
    """

    kind: Kind
    place: str
    operands: list[Wire]
    calls: int
    steps: int
    made: int
    name: str = ""
    blocks: tuple[Block, ...] = ()
    most: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Instructions with values of their own.

    Attributes:
        captures: indices into the values of what is around it: values[-1] here is the first of them, and so on.
        headers: how many values are those of headers, and undefined.
        instructions: there is at least one, whose value is the block's.
        least_steps: that it takes whatever happens.
        least_calls: that it makes whatever happens.
        has_lists: whether there are maps or filters in it, or before it.
    """

    captures: tuple[int, ...]
    headers: int
    instructions: tuple[Instruction, ...]
    least_steps: int
    least_calls: int
    has_lists: bool

    @property
    def last(self) -> str:
        """Where the instruction stands whose value is the block's."""
        return self.instructions[-1].place


def is_plan(instructions: list[Wire]) -> bool:
    """Whether the instructions of a `remap` are a plan's, of whatever version."""
    first = instructions[0] if instructions else None
    return type(first) is list and first[:1] == ["plan"]


def read_plan(instructions: list[Wire], captures: int, limits: Limits, depth: int = 0) -> Block:
    """A plan, known to be well formed and not to go beyond a bound in any case.

    Parameters:
        instructions: of the `remap`; they begin with the header.
        captures: how many of them there are.
        limits: bounds.
        depth: how deep in its message it stands.

    Raises:
        ProtocolError: it is malformed; the error says where.
        LimitExceeded: it must, or says that it may, go beyond one of the bounds.
    """
    return finished(reading_plan(instructions, captures, limits, depth))


def reading_plan(instructions: list[Wire], captures: int, limits: Limits, depth: int = 0) -> Reading[Block]:
    """The same step by step: there may be thousands of instructions, and of values in one. See `read_plan`."""
    if tuple(instructions[0]) != HEADER or type(instructions[0][1]) is not int:
        raise unknown(instructions[0])
    reader = _Reader(limits, depth)
    plan = yield from reader.block(tuple(range(-1, -captures - 1, -1)), instructions, "plan", 1, headers=1)
    if plan.least_steps > limits.map_steps:
        raise LimitExceeded(
            f"the plan takes at least {plan.least_steps} steps, and Limits.map_steps allows {limits.map_steps}: "
            "make several plans of it"
        )
    if plan.least_calls > limits.plan_calls:
        raise LimitExceeded(
            f"the plan makes at least {plan.least_calls} calls, and Limits.plan_calls allows {limits.plan_calls}: "
            "make several plans of it"
        )
    return plan


class _Reader:
    """Reads the blocks of one plan."""

    def __init__(self, limits: Limits, depth: int) -> None:
        self._limits = limits
        self._deepest = limits.depth
        self._depth = depth
        self._has_lists = False
        self._nodes = 0
        self._pause = AT_ONCE

    def block(
        self, captures: tuple[int, ...], wire: list[Wire], place: str, depth: int, headers: int = 0
    ) -> Reading[Block]:
        """A block.

        Parameters:
            captures: as its values have them.
            wire: its instructions.
            place: what errors call it.
            depth: how many blocks deep it stands, itself included.
            headers: how many of the instructions are headers.
        """
        if depth > self._limits.plan_depth:
            raise LimitExceeded(
                f"{place} is nested deeper than {self._limits.plan_depth}, which Limits.plan_depth allows"
            )
        if len(wire) <= headers:
            raise ProtocolError(f"{place} has no instructions: the last one is its result")
        instructions: list[Instruction] = []
        steps = calls = 0
        for index in range(headers, len(wire)):
            values = _Values(len(captures), index + 1)
            one = yield from self._instruction(wire[index], f"{place}[{index + 1}]", values, depth)
            instructions.append(one)
            yield self._units
            least = _least(one)
            steps += least[0]
            calls += least[1]
        return Block(captures, headers, tuple(instructions), steps, calls, self._has_lists)

    @property
    def _units(self) -> int:
        """Units of work that have been done so far."""
        return self._nodes // NODES_PER_UNIT

    def _instruction(self, wire: Wire, place: str, values: _Values, depth: int) -> Reading[Instruction]:
        kind: Any = wire[0] if type(wire) is list and wire and type(wire[0]) is str else "value"
        if kind == "op":
            return (yield from self._operation(wire, place, values))
        if kind not in _BLOCKS:
            return (yield from self._made("value", place, values, [wire]))
        self._has_lists |= kind == "keep"
        if len(wire) != _LENGTHS[kind]:
            raise ProtocolError(f'{place}: "{kind}" has {_LENGTHS[kind] - 1} parts, not {len(wire) - 1}')
        blocks: list[Block] = []
        for name, index in _BLOCKS[kind]:
            blocks.append((yield from self._inner(wire[index], f"{place}.{name}", values, depth + 1)))
        most = self._most(wire[4], place) if kind == "while" else 0
        return (yield from self._made(kind, place, values, [wire[1]], blocks=tuple(blocks), most=most))

    def _operation(self, wire: list[Wire], place: str, values: _Values) -> Reading[Instruction]:
        name = wire[1] if len(wire) > 1 and type(wire[1]) is str else ""
        wanted = OPERANDS.get(name)
        if wanted is None:
            raise ProtocolError(f"{place}: there is no operation {name[:40]!r}; there are {', '.join(OPERANDS)}")
        if len(wire) - 2 != wanted:
            raise ProtocolError(f'{place}: "{name}" takes {wanted} operands, not {len(wire) - 2}')
        return (yield from self._made("op", place, values, wire[2:], name))

    def _made(
        self,
        kind: Kind,
        place: str,
        values: _Values,
        operands: list[Wire],
        name: str = "",
        blocks: tuple[Block, ...] = (),
        most: int = 0,
    ) -> Reading[Instruction]:
        calls = yield from self._expressions(operands, place, values, self._depth, self._depth)
        steps = yield from self._walk(counting_steps(operands))
        made = yield from self._walk(counting_bytes(operands))
        return Instruction(kind, place, operands, calls, steps, made, name, blocks, most)

    def _walk(self, walk: Walk) -> Reading[int]:
        """What a walk through operands comes to; its nodes count, where there are many."""
        while True:
            try:
                self._nodes += next(walk)
            except StopIteration as end:
                result: int = end.value
                return result
            yield self._units

    def _inner(self, wire: Wire, place: str, values: _Values, depth: int) -> Reading[Block]:
        """The block [captures, instructions]."""
        if type(wire) is not list or len(wire) != 2 or type(wire[0]) is not list or type(wire[1]) is not list:
            raise ProtocolError(f"{place} has to be a list of captures and a list of instructions")
        return (yield from self.block(_captured(wire[0], place, values), wire[1], place, depth))

    def _most(self, most: Wire, place: str) -> int:
        if type(most) is not int or most < 1:
            raise ProtocolError(f'{place}: the last part of "while" says how many turns it takes at most, 1 or more')
        if most > self._limits.plan_turns:
            raise LimitExceeded(
                f"{place}: a loop of {most} turns, where Limits.plan_turns allows {self._limits.plan_turns}"
            )
        return most

    def _expressions(
        self, wires: Collection[Wire], place: str, values: _Values, depth: int, around: int
    ) -> Reading[int]:
        """Checks expressions that stand beside each other. Returns how many calls they make.

        Parameters:
            wires: the expressions.
            place: what errors call the instruction.
            values: that they may name.
            depth: how deep they stand in the message.
            around: how deep the call stands in whose arguments they are; 0 if that is the message's own, or there is
                none.
        """
        if depth >= self._deepest and wires:
            raise ProtocolError(
                f"{place} is nested deeper than {self._deepest}, which Limits.depth allows and of which a call in the "
                f"arguments of a call takes {NESTED}",
                "TypeError",
            )
        calls = inside = 0
        for wire in wires:
            kind = type(wire)
            if kind is not list and kind is not dict:
                continue
            inside += 1
            self._nodes += 1
            if self._nodes > self._pause:
                self._pause = self._nodes + AT_ONCE
                yield self._units
            if kind is list:
                calls += yield from self._expression(wire, place, values, depth, around)
            else:
                calls += yield from self._expressions(wire.values(), place, values, depth + 1, around)
        self._nodes += len(wires) - inside
        return calls

    def _expression(self, wire: list[Wire], place: str, values: _Values, depth: int, around: int) -> Reading[int]:
        """Checks an expression that is a list; see `_expressions`."""
        if len(wire) == 1 and type(wire[0]) is list:
            return (yield from self._expressions(wire[0], place, values, depth + 1, around))
        head = wire[0] if wire and type(wire[0]) is str else ""
        if head in ("pipeline", "import"):
            return (yield from self._reference(wire, place, values, depth, around))
        if head == "remap":
            self._has_lists = True
            if len(wire) != 5 or type(wire[3]) is not list or type(wire[4]) is not list:
                raise ProtocolError(f"{place}: {unknown(wire)}")
            values.check(wire[1], place)
            _captured(wire[3], place, values)
            self._nodes += len(wire[3])
            return 0
        if head not in _LEAVES:
            raise ProtocolError(f"{place}: {unknown(wire)}")
        fields = [item for item in wire if type(item) is dict]
        return (yield from self._expressions(fields, place, values, depth + 1, around)) if fields else 0

    def _reference(self, wire: list[Wire], place: str, values: _Values, depth: int, around: int) -> Reading[int]:
        if not 2 <= len(wire) <= 4:
            raise ProtocolError(f"{place}: {unknown(wire)}")
        values.check(wire[1], place)
        if len(wire) < 4:
            return 0
        if type(wire[3]) is not list:
            raise ProtocolError(f"{place}: {unknown(wire)}")
        if around:
            depth += NESTED - 1
        return 1 + (yield from self._expressions(wire[3], place, values, depth + 1, depth))


class _Values(NamedTuple):
    """Which values an instruction may name.

    Attributes:
        captures: how many of them there are: -1, -2 and so on.
        known: how many values there are before it: 0, 1 and so on.
    """

    captures: int
    known: int

    def check(self, index: Wire, place: str) -> int:
        """The index. Raises ProtocolError if there is nothing under it."""
        if type(index) is not int or not -self.captures <= index < self.known:
            raise ProtocolError(f"{place}: there is no value {str(index)[:40]} at this point of the plan")
        return index


def _captured(wire: list[Wire], place: str, values: _Values) -> tuple[int, ...]:
    """The indices of captures, each ["import", index]."""
    captures: list[int] = []
    for capture in wire:
        if type(capture) is not list or len(capture) != 2 or capture[0] != "import":
            raise ProtocolError(f'{place}: a capture has to be ["import", index], and not {str(capture)[:80]}')
        captures.append(values.check(capture[1], place))
    return tuple(captures)


def _least(instruction: Instruction) -> tuple[int, int]:
    """Steps and calls that an instruction takes whatever happens."""
    steps, calls = instruction.steps, instruction.calls
    if instruction.kind == "if":
        then, otherwise = instruction.blocks
        steps += min(then.least_steps, otherwise.least_steps)
        calls += min(then.least_calls, otherwise.least_calls)
    elif instruction.kind == "while":
        steps += instruction.blocks[0].least_steps
        calls += instruction.blocks[0].least_calls
    return steps, calls
