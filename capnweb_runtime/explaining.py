"""Shows plans: their steps, one in a line, and what they take as far as that is known before they run. Rule: nothing is
sent, and each step is called what errors call it.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar, overload

from capnweb_runtime.core.hook import Wire
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.plan_bounds import (
    UNKNOWN,
    Amount,
    Bounds,
    Scope,
    Value,
    Weigher,
    called_in_python,
    followed,
    item_of,
)
from capnweb_runtime.core.plan_form import Block, Instruction, read_plan
from capnweb_runtime.core.plan_record import PlanRecorder
from capnweb_runtime.core.remap import Recorder
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.objects.stub import Calls, RpcPromise, RpcStub, around
from capnweb_runtime.plans import check_sync, recording, standing_for

S = TypeVar("S", bound=RpcStub | RpcPromise[Any])

_UNBOUNDED: Final = Limits(
    map_steps=sys.maxsize, plan_calls=sys.maxsize, plan_turns=sys.maxsize, plan_depth=sys.maxsize
)
_LONGEST: Final = 100
_LONGEST_TEXT: Final = 40
_FUNCTIONS: Final = {"not": "not_", "null": "is_none", "len": "size"}
"""What operations are called in Python where that is another name."""


class Between(NamedTuple):
    """From how much to how much a plan takes of something.

    Attributes:
        least: what it takes in any case.
        assumed: what it takes at least if lists are as long as `@cost(items=...)` assumes; a server goes by that.
        most: what it takes at most; None where a list may be of any length.
    """

    least: int
    assumed: int
    most: int | None

    def __str__(self) -> str:
        if self.most == self.least:
            return str(self.least)
        text = f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"
        return text if self.assumed == self.least else f"{text} (taken as {self.assumed})"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    Attributes:
        place: where it stands in the plan, as errors name it: `plan[3].then[1]`.
        text: what it does, as code.
        depth: how many branches, loops and filters it stands in.
        calls: how many calls it makes, with those of the steps in it.
        cost: what these calls cost, as far as their interfaces are known.
    """

    place: str
    text: str
    depth: int
    calls: Between
    cost: Between


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a plan would do, and how much it would take of each bound; `explain` gives it. Printed, it is a table of the
    plan's steps.

    Attributes:
        listing: the steps, in their order.
        steps: how many steps it takes, as `Limits.map_steps` counts them.
        calls: how many calls it makes, those of maps included.
        cost: what it costs, as `Limits.cost` counts it, as far as the interfaces that it calls are known.
        turns: the most turns that a loop of it asks for; 0 if it has no loop.
        depth: how deep its blocks are nested, as `Limits.plan_depth` counts it.
        unknown: how many calls in the listing are of unknown interfaces, and therefore not in `cost`.
    """

    listing: tuple[Step, ...]
    steps: Between
    calls: Between
    cost: Between
    turns: int
    depth: int
    unknown: int

    def __str__(self) -> str:
        unknown = f", and of {self.unknown} calls that is not known" if self.unknown else ""
        turns = f", {self.turns} turns a loop" if self.turns else ""
        head = f"steps {self.steps}, calls {self.calls}, depth {self.depth}{turns}, cost {self.cost}{unknown}"
        lines = [(f"{'  ' * step.depth}{step.place}", step) for step in self.listing]
        width = max(len(place) for place, _ in lines)
        return "\n".join([head, *(f"{place:{width}}  {_line(step)}" for place, step in lines)])


@overload
def explain(subject: Callable[[Any], object], /) -> Explanation: ...
@overload
def explain(subject: type[S], function: Callable[[S], object], /) -> Explanation: ...
@overload
def explain(subject: S, function: Callable[[S], object], /) -> Explanation: ...
def explain(subject: Any, function: Callable[[Any], object] | None = None, /) -> Explanation:
    """Shows what a plan would do, and how much it would take, without sending anything: `print(explain(ApiStub, lambda
    p: ...))`.

    Parameters:
        subject: the stub or promise that `plan` would be given, or the class of one, for which no connection is needed.
            It may be left out: then the annotation of the function's parameter says which class, and without an
            annotation it is `AnyStub`.
        function: the function that `plan` would be given. It is called once.

    Returns:
        The steps of the plan, named as errors name them, with calls and costs. Costs are those that `@cost` declares in
        the schema; those of stubs from outside of the function are not known.

    Raises:
        TypeError: as `plan` does.
    """
    recorded: Any = function
    if recorded is None:
        subject, recorded = _annotated(subject), subject
    if isinstance(around.get(), Recorder):
        raise TypeError("explain() cannot stand in a plan or in a mapper function: explain the plan itself")
    cls: type[Any] = subject if isinstance(subject, type) else type(subject)
    if not issubclass(cls, RpcStub if cls is subject else (RpcStub, RpcPromise)):
        raise TypeError(f"explain() takes a stub, its class, or a promise of one, not {type(subject).__name__}")
    recorder = PlanRecorder()
    placeholder: Any = recorder.placeholder()
    with recording(recorder):
        result = recorded(cls(placeholder) if isinstance(subject, type) else standing_for(subject, placeholder))
        check_sync(result)
        try:
            recorder.instructions.append(recorder.wire(result))
        except Mismatch as mismatch:
            raise mismatch.error("result of the plan") from None
    outside = len(recorder.captures)
    recorder.give_up()
    block = read_plan(recorder.instructions, outside, _UNBOUNDED)
    return _Explaining(outside).explain(block, _known(cls, subject))


def _annotated(function: Callable[..., object]) -> object:
    """The class of stubs that the parameter of a function is annotated with; one without an interface otherwise."""
    if not callable(function):
        raise TypeError(f"explain() takes a stub or its class, and a function, not {type(function).__name__} alone")
    parameters = [*inspect.signature(function, eval_str=True).parameters.values()]
    annotation = parameters[0].annotation if parameters else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, RpcStub) else AnyStub


def _known(cls: type, subject: Any) -> Value:
    """What is known of a stub, by its generated table, or of a promise, by its codec."""
    if isinstance(subject, RpcPromise):
        return followed(Value(subject._codec), ())[0]
    for base in cls.__mro__:
        if issubclass(base, Calls) and base.__name__.endswith("Calls"):
            table = getattr(sys.modules[base.__module__], f"{base.__name__.removesuffix('Calls')}Spec", None)
            return Value(getattr(table, "rpc_members", None))
    return UNKNOWN


class _Explaining:
    """Explains one plan.

    Parameters:
        outside: how many stubs and promises from outside it uses.
    """

    def __init__(self, outside: int) -> None:
        self._outside = [f"outside {number}" if outside > 1 else "outside" for number in range(1, outside + 1)]
        self._found: dict[str, tuple[Bounds, Scope]] = {}

    def explain(self, block: Block, element: Value) -> Explanation:
        """The plan as a whole."""
        weigher = Weigher(sys.maxsize, self._note)
        _, bounds = weigher.block(block, element, [UNKNOWN] * len(self._outside))
        instructions = [*_instructions(block)]
        return Explanation(
            tuple(self._steps(block, "p", self._outside, 0)),
            _between(bounds, lambda amount: amount.steps),
            _between(bounds, _all_calls),
            _between(bounds, lambda amount: amount.cost),
            max((instruction.most for instruction in instructions), default=0),
            _depth(block),
            weigher.unknown,
        )

    def _note(self, instruction: Instruction, bounds: Bounds, scope: Scope) -> None:
        self._found[instruction.place] = bounds, scope

    def _steps(self, block: Block, element: str, captured: Sequence[str], depth: int) -> Iterator[Step]:
        """The steps of a block, and of those in it.

        Parameters:
            block: the block.
            element: what its value 0 is called.
            captured: what its captures are called.
            depth: how many blocks it stands in.
        """
        names = [element, *["the header"] * block.headers]
        for instruction in block.instructions:
            bounds, scope = self._found[instruction.place]
            text = _Text(names, captured, scope)
            yield Step(
                instruction.place,
                text.instruction(instruction),
                depth,
                _between(bounds, _all_calls),
                _between(bounds, lambda amount: amount.cost),
            )
            inner = {"while": "state", "keep": "item"}.get(instruction.kind, "nothing")
            for one in instruction.blocks:
                yield from self._steps(one, inner, [text.name(index) for index in one.captures], depth + 1)
            names.append(instruction.place)


class _Text:
    """Writes expressions.

    Parameters:
        names: what values are called, 0 and so on.
        captured: what captures are called.
        scope: what is known of them.
    """

    def __init__(self, names: Sequence[str], captured: Sequence[str], scope: Scope) -> None:
        self._names = names
        self._captured = captured
        self._scope = scope

    def name(self, index: int) -> str:
        """What a value is called."""
        return self._names[index] if index >= 0 else self._captured[-index - 1]

    def instruction(self, instruction: Instruction) -> str:
        """What an instruction does."""
        operands = [self.expression(operand) for operand in instruction.operands]
        first = operands[0]
        if instruction.kind == "value":
            is_reference = type(instruction.operands[0]) is list and len(instruction.operands[0]) == len("id")
            return f"gives {first}" if is_reference else first
        if instruction.kind == "op":
            name = instruction.name
            operands = operands[::-1] if name == "in" else operands
            return f"{_FUNCTIONS.get(name, 'contains' if name == 'in' else name)}({', '.join(operands)})"
        if instruction.kind == "while":
            return f"repeat from {first}, at most {instruction.most} turns"
        return f"when {first}" if instruction.kind == "if" else f"keep of {first}"

    def expression(self, wire: Wire) -> str:
        """An expression."""
        if type(wire) is dict:
            return f"{{{', '.join(f'{key!r}: {self.expression(item)}' for key, item in wire.items())}}}"
        if type(wire) is not list:
            return _short(repr(wire), _LONGEST_TEXT)
        if len(wire) == 1 and type(wire[0]) is list:
            return f"[{', '.join(map(self.expression, wire[0]))}]"
        if wire[0] == "remap":
            return self._map(wire)
        if wire[0] not in ("pipeline", "import"):
            return "None" if wire[0] == "undefined" else f"<{wire[0]}>"
        named = self._at(wire[1], wire[2] if len(wire) > 2 else [])
        return named if len(wire) < 4 else f"{named}({', '.join(map(self.expression, wire[3]))})"

    def _at(self, index: int, path: list[str | int]) -> str:
        text, value = self.name(index), self._scope.at(index)
        for key in path:
            text += f"[{key}]" if isinstance(key, int) else f".{called_in_python(value, key)}"
            value, _ = followed(value, (key,))
        return text

    def _map(self, wire: list[Wire]) -> str:
        """A map: what its function gives, with all that it does on the way in its place."""
        _, index, path, captures, instructions = wire
        subject, _ = followed(self._scope.at(index), tuple(path))
        scope = Scope([item_of(subject)], [self._scope.at(one[1]) for one in captures])
        names, weigher = ["item"], Weigher(sys.maxsize)
        inner = _Text(names, [self.name(one[1]) for one in captures], scope)
        for instruction in instructions:
            names.append(inner.expression(instruction))
            scope.values.append(weigher.expression(instruction, scope)[0])
        return f"{self._at(index, path)}.map(item: {names[-1]})"


def _line(step: Step) -> str:
    """What a step does, and what it takes if it makes calls."""
    text = _short(step.text, _LONGEST)
    said = [f"calls {step.calls}"] if step.calls.most not in (0, 1) else []
    said += [f"cost {step.cost}"] if step.cost.most != 0 else []
    return f"{text}  # {', '.join(said)}" if said else text


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _all_calls(amount: Amount) -> float:
    return amount.calls + amount.mapped


def _between(bounds: Bounds, part: Callable[[Amount], float]) -> Between:
    least, assumed, most = map(part, bounds)
    return Between(int(least), int(assumed), None if most == math.inf else int(most))


def _instructions(block: Block) -> Iterator[Instruction]:
    for instruction in block.instructions:
        yield instruction
        for inner in instruction.blocks:
            yield from _instructions(inner)


def _depth(block: Block) -> int:
    inner = (_depth(one) for instruction in block.instructions for one in instruction.blocks)
    return 1 + max(inner, default=0)
