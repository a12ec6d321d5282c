"""What a plan takes, as far as its interfaces say that before it runs. Rule: what is not known counts for nothing, so
that what is refused because of it would have been refused later.

Two things are taken on trust: that objects are of the interfaces that methods declare, and that lists are as long as
`@cost(items=...)` assumes, where it does. `docs/plans.md` says what follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import InterfaceCodec, ModelCodec, OptionalCodec, RecordCodec
from capnweb_runtime.core.hook import Hook, Path, StubRef, Wire
from capnweb_runtime.core.interface import Method, Property
from capnweb_runtime.core.plan_form import Block, Instruction
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.core.weight import AT_ONCE, counting_steps, finished
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.limits import Limits

_SINGLE: Final = (Mapping, InterfaceCodec, ModelCodec)
"""What says that a value is no list, to which a map is applied as to the only item of one."""
Members: TypeAlias = Mapping[str, tuple[str, Method | Property]]


class Amount(NamedTuple):
    """How much of what a plan takes.

    Attributes:
        steps: as `Limits.map_steps` counts them.
        calls: as `Limits.plan_calls` counts them: those of maps in the plan left out.
        mapped: those of maps.
        cost: as `Limits.cost` counts it.
    """

    steps: float = 0
    calls: float = 0
    mapped: float = 0
    cost: float = 0

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self[0] + other[0], self[1] + other[1], self[2] + other[2], self[3] + other[3])

    def times(self, count: float) -> Amount:
        """So many of it; infinitely many of nothing are nothing."""
        return Amount(*(each * count if each else 0 for each in self))


class Bounds(NamedTuple):
    """Between what a plan takes, and what.

    Attributes:
        least: in any case.
        assumed: in any case, where lists are as long as is assumed of them.
        most: the same for the most of it; infinite where a list may be of any length.
    """

    least: Amount
    assumed: Amount
    most: Amount

    @classmethod
    def of(cls, amount: Amount) -> Bounds:
        """Exactly so much."""
        return cls(amount, amount, amount)

    def plus(self, other: Bounds) -> Bounds:
        """Both, one after the other."""
        if other is NOTHING or self is NOTHING:
            return self if other is NOTHING else other
        least, assumed, most = self
        one, two, three = other
        sum_ = least.plus(one)
        if least is most and one is three:  # as nearly everywhere
            return Bounds(sum_, sum_, sum_)
        return Bounds(sum_, assumed.plus(two), most.plus(three))


NOTHING: Final = Bounds.of(Amount())


class Cost(NamedTuple):
    """What a call may cost: an object may be of an interface that has the method again.

    Attributes:
        least: of these interfaces, the lowest.
        most: the highest.
    """

    least: int
    most: int

    def bounds(self, calls: int = 0) -> Bounds:
        """The same as what so many calls take."""
        least = Amount(0, calls, 0, self.least)
        return Bounds(least, least, least if self.least == self.most else Amount(0, calls, 0, self.most))


FREE: Final = Cost(0, 0)


class Value(NamedTuple):
    """What is known of a value.

    Attributes:
        type: members of an object, how a function is called, the codec of a value, or what is in a list; None if
            nothing is known.
        items: how many items a list is taken to have; None if nothing is assumed.
        cost: of a call, of a function.
    """

    type: Members | Method | TypeCodec | Value | None = None
    items: int | None = None
    cost: Cost = FREE


UNKNOWN: Final = Value()


Known: TypeAlias = tuple[Value, Bounds]
"""What something gives, and takes."""
Weighing: TypeAlias = Generator[int, None, Known]
"""It tells of nodes that it has looked at, where they are many, and in the end what is known."""


class Scope(NamedTuple):
    """The values that an instruction may name.

    Attributes:
        values: 0, 1 and so on.
        captured: -1, -2 and so on.
    """

    values: list[Value]
    captured: Sequence[Value]

    def at(self, index: object) -> Value:
        """What is known of one."""
        if type(index) is not int:
            return UNKNOWN
        table, place = (self.values, index) if index >= 0 else (self.captured, -index - 1)
        return table[place] if place < len(table) else UNKNOWN


class Weigher:
    """Finds out what a plan takes, step by step: see `weighing`.

    Parameters:
        deepest: how deep expressions are looked into.
        found: told of each instruction, behind those in it, of what it takes with all that is in it, and of what is
            known of the values that it may name.

    Attributes:
        nodes: that have been looked at.
        unknown: calls whose cost is not known, each counted once wherever it stands.
    """

    def __init__(self, deepest: int, found: Callable[[Instruction, Bounds, Scope], object] | None = None) -> None:
        self.nodes = 0
        self.unknown = 0
        self._deepest = deepest
        self._found = found
        self._pause = AT_ONCE

    def block(self, block: Block, element: Value, captured: Sequence[Value]) -> Known:
        """What a block gives, and takes.

        Parameters:
            block: the block.
            element: its value 0.
            captured: its captures.
        """
        return finished(self.weighing(block, element, captured))

    def weighing(self, block: Block, element: Value, captured: Sequence[Value]) -> Weighing:
        """The same step by step: there may be thousands of values in an instruction."""
        scope = Scope([element, *[UNKNOWN] * block.headers], captured)
        total, value = NOTHING, UNKNOWN
        for instruction in block.instructions:
            value, bounds = yield from self._instruction(instruction, scope)
            if self._found is not None:
                self._found(instruction, bounds, scope)
            scope.values.append(value)
            total = total.plus(bounds)
        return value, total

    def _instruction(self, instruction: Instruction, scope: Scope) -> Weighing:
        bounds, operands = Bounds.of(Amount(instruction.steps)), []
        for operand in instruction.operands:
            value, taken = yield from self._expression(operand, scope, 0)
            operands.append(value)
            bounds = bounds.plus(taken)
        if instruction.kind == "value":
            return operands[0], bounds
        if instruction.kind == "op":
            return UNKNOWN, bounds
        subject = operands[0]
        element = {"if": UNKNOWN, "while": subject, "keep": item_of(subject)}[instruction.kind]
        blocks: list[Known] = []
        for block in instruction.blocks:
            blocks.append((yield from self.weighing(block, element, [scope.at(index) for index in block.captures])))
        if instruction.kind == "keep":
            return subject, bounds.plus(_for_each(subject, blocks[0][1]))
        (first, one), (second, two) = blocks
        if instruction.kind == "if":
            return _either(first, second), bounds.plus(
                Bounds(
                    Amount(*map(min, one.least, two.least)),
                    Amount(*map(min, one.assumed, two.assumed)),
                    Amount(*map(max, one.most, two.most)),
                )
            )
        turns = one.most.plus(two.most).times(instruction.most)
        return _either(subject, second), bounds.plus(Bounds(one.least, one.assumed, turns))

    def expression(self, wire: Wire, scope: Scope) -> Known:
        """What an expression gives, and takes beside the steps of its instruction.

        Parameters:
            wire: the expression.
            scope: the values that it may name.
        """
        return finished(self._expression(wire, scope, 0))

    def _expression(self, wire: Wire, scope: Scope, depth: int) -> Weighing:
        """The same, of one that stands in so many others."""
        self.nodes += 1
        if self.nodes > self._pause:
            self._pause = self.nodes + AT_ONCE
            yield AT_ONCE
        if depth > self._deepest or type(wire) not in (list, dict):
            return UNKNOWN, NOTHING
        if type(wire) is dict:
            parts: list[Wire] = [*wire.values()]
        elif wire and type(wire[0]) is str:
            if wire[0] in ("pipeline", "import"):
                return (yield from self._reference(wire, scope, depth))
            if wire[0] == "remap" and len(wire) == 5:
                return (yield from self._map(wire, scope, depth))
            parts = [part for part in wire[1:] if type(part) is dict]
        else:
            parts = wire[0] if len(wire) == 1 and type(wire[0]) is list else []
        return UNKNOWN, (yield from self._parts(parts, scope, depth))

    def _parts(self, parts: list[Wire], scope: Scope, depth: int) -> Generator[int, None, Bounds]:
        total = NOTHING
        for part in parts:
            if part and type(part) in (list, dict):
                taken = (yield from self._expression(part, scope, depth + 1))[1]
                if taken is not NOTHING:  # of most there is nothing to add, and they may be thousands
                    total = total.plus(taken)
        return total

    def _reference(self, wire: list[Wire], scope: Scope, depth: int) -> Weighing:
        """["pipeline", index, path, arguments], with as much of it as there is."""
        value = scope.at(wire[1] if len(wire) > 1 else None)
        path = wire[2] if len(wire) > 2 and type(wire[2]) is list else []
        self.nodes += len(path)
        value, taken = followed(value, tuple(path))
        if len(wire) < 4 or type(wire[3]) is not list:
            return value, taken
        inside = yield from self._parts(wire[3], scope, depth)
        taken = taken.plus(inside).plus(value.cost.bounds(calls=1))
        method = _function(value)
        if method is None:
            self.unknown += 1
            return UNKNOWN, taken
        return _value(method.result, method.items), taken

    def _map(self, wire: list[Wire], scope: Scope, depth: int) -> Weighing:
        """["remap", index, path, captures, instructions]."""
        _, index, path, captures, instructions = wire
        if type(path) is not list or type(captures) is not list or type(instructions) is not list:
            return UNKNOWN, NOTHING
        self.nodes += len(path) + len(captures)
        subject, taken = followed(scope.at(index), tuple(path))
        inner = Scope(
            [item_of(subject)],
            [scope.at(one[1]) if type(one) is list and len(one) == 2 else UNKNOWN for one in captures],
        )
        each = Bounds.of(Amount((yield from counting_steps(instructions))))
        for instruction in instructions:
            value, once = yield from self._expression(instruction, inner, depth + 1)
            inner.values.append(value)
            if once is not NOTHING:
                each = each.plus(once)
        mapped = Bounds(*(Amount(one.steps, 0, one.calls + one.mapped, one.cost) for one in each))
        return Value(inner.values[-1], subject.items), taken.plus(_for_each(subject, mapped))


def known_of(hook: Hook) -> Value:
    """What is known of what a hook stands for."""
    while True:
        if isinstance(hook, PromiseHook) and hook.known is not None:
            hook = hook.known
        elif isinstance(hook, PayloadHook) and isinstance(value := hook.value, StubRef):
            hook = value._hook
        else:
            return Value(getattr(getattr(hook, "target", None), "_rpc_members", None))


def followed(value: Value, path: Path) -> tuple[Value, Bounds]:
    """What a path leads to, and what reading the properties on it takes."""
    taken = NOTHING
    for key in path:
        value, cost = _part(value, key)
        if cost is not FREE:
            taken = taken.plus(cost.bounds())
    return value, taken


def item_of(value: Value) -> Value:
    """What is known of an item of a list, or of a value that is treated as the only one."""
    found = _plain(value.type)
    if isinstance(found, Value):
        return found
    return value if isinstance(found, _SINGLE) else _value(getattr(found, "item", None))


def called_in_python(value: Value, key: object) -> str:
    """What Python calls a part of a value; its name on the wire where no interface says that."""
    found = _plain(value.type)
    target: Any = found._target() if isinstance(found, InterfaceCodec) else None
    members = found if target is None else target._rpc_members
    entry = members.get(key) if isinstance(members, Mapping) and isinstance(key, str) else None
    return str(key) if entry is None else str(entry[0])


def refuse_beyond(assumed: Amount, limits: Limits) -> None:
    """Refuses a plan that takes more than it may. Raises LimitExceeded.

    Parameters:
        assumed: what it takes in any case, where lists are as long as is assumed of them.
        limits: bounds.
    """
    for name, unit, taken, most in (
        ("map_steps", "takes", f"{assumed.steps:.0f} steps", assumed.steps > limits.map_steps),
        ("plan_calls", "makes", f"{assumed.calls:.0f} calls", assumed.calls > limits.plan_calls),
    ):
        if most:
            raise LimitExceeded(
                f"the plan {unit} {taken} where lists are as long as its interfaces assume, and Limits.{name} allows "
                f"{getattr(limits, name)}: make several plans of it"
            )


def _for_each(subject: Value, each: Bounds) -> Bounds:
    """What something takes that is done for each item."""
    found = _plain(subject.type)
    if isinstance(found, _SINGLE):  # there is one, or none
        return Bounds(Amount(), Amount(), each.most)
    return Bounds(Amount(), each.assumed.times(subject.items or 0), each.most.times(subject.items or math.inf))


def _either(one: Value, other: Value) -> Value:
    if one.type is not other.type:
        return UNKNOWN
    return one if one.items == other.items else Value(one.type)


def _plain(found: Any) -> Any:
    """A type without what says that it may be null, or which of its values are allowed."""
    while isinstance(found, OptionalCodec) or hasattr(found, "limited"):
        found = found.item if isinstance(found, OptionalCodec) else found.limited
    return found


def _function(value: Value) -> Method | None:
    """How a value is called; None if that is not known."""
    found = _plain(value.type)
    called = found if isinstance(found, Method) else getattr(found, "method", None)
    return called if isinstance(called, Method) else None


def _part(value: Value, key: object) -> tuple[Value, Cost]:
    """What is known of a part of a value, and what reading it costs."""
    found = _plain(value.type)
    if isinstance(found, Value):
        return (found if type(key) is int else UNKNOWN), FREE
    if isinstance(found, InterfaceCodec):
        target: Any = found._target()
        return _member(target._rpc_members, key, target)
    if isinstance(found, Mapping):
        return _member(found, key)
    item: object = getattr(found, "item", None)
    if isinstance(found, RecordCodec):
        item = found.items.get(key) if isinstance(key, (str, int)) else None
    return _value(item), FREE


def _value(codec: object, items: int | None = None) -> Value:
    """What a codec says of a value."""
    if not isinstance(codec, TypeCodec):
        return UNKNOWN
    method = getattr(_plain(codec), "method", None)
    return Value(codec, items, Cost(method.cost, method.cost) if isinstance(method, Method) else FREE)


def _member(members: Members, key: object, declared: Any = None) -> tuple[Value, Cost]:
    """What is known of a member, and what it costs if it is a property.

    Parameters:
        members: of the object.
        key: name of the member, on the wire.
        declared: the class of targets that it is declared to be of; None if these are exactly its members.
    """
    entry = members.get(key) if isinstance(key, str) else None
    if entry is None:
        return UNKNOWN, FREE
    member = entry[1]
    costs = {member.cost} if declared is None else _costs(declared, member)
    cost = Cost(min(costs), max(costs))
    if isinstance(member, Property):
        return _value(member.codec, member.items), cost
    return Value(member, None, cost), FREE


def _costs(declared: Any, member: Method | Property) -> set[int]:
    """What a member costs of the interface that is declared, and of those that have it again."""
    costs, waiting = {member.cost}, [declared]
    while waiting:
        cls = waiting.pop()
        entry = cls._rpc_members.get(member.name)
        if entry is not None:
            costs.add(entry[1].cost)
        waiting += cls.__subclasses__()
    return costs
