"""The parameters of two versions of a method.

Rule: positional arguments travel by position and keyword arguments by name, so that what a parameter is called counts
for the second alone. Effects are told as of a method of a server; who serves is for others to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from capnweb_gen import ir
from capnweb_gen.evolution.effects import BREAKS, CHECKED, SAFE, Effects

_POSITIONAL = ("positional_only", "positional")


class Tell(Protocol):
    """Told of a change of a parameter: the rule, the parameter of now and the one of then, and what has changed."""

    def __call__(
        self,
        rule: str,
        new: ir.Parameter | None,
        old: ir.Parameter | None,
        message: str,
        effects: Effects | None = None,
    ) -> None: ...


Types = Callable[[ir.Parameter, ir.Parameter], None]


def compare_parameters(old: Sequence[ir.Parameter], new: Sequence[ir.Parameter], types: Types, tell: Tell) -> None:
    """Compare the parameters of two versions.

    Args:
        old: those of then.
        new: those of now.
        types: compares the types of a parameter.
        tell: told of everything else.
    """
    changed = set(_changed_passing(old, new))
    for one in old:
        other = next((found for found in new if found.name == one.name), None)
        if one.name in changed and other is not None:
            tell("parameter-passing-changed", other, one, f"it was {_passing(one)}, and is {_passing(other)}")
    before = [parameter for parameter in old if parameter.name not in changed]
    after = [parameter for parameter in new if parameter.name not in changed]
    pairs = [*_positional(_of(before, *_POSITIONAL), _of(after, *_POSITIONAL), before, tell)]
    pairs += _keywords(_of(before, "keyword"), _of(after, "keyword"), tell)
    pairs += _variadic(_of(before, "variadic"), _of(after, "variadic"), tell)
    for one, other in pairs:
        types(one, other)
        _defaults(one, other, tell)


_Pairs = Iterator[tuple[ir.Parameter, ir.Parameter]]


def _of(parameters: Sequence[ir.Parameter], *passing: str) -> list[ir.Parameter]:
    return [parameter for parameter in parameters if parameter.passing in passing]


def _passing(parameter: ir.Parameter) -> str:
    return "keyword-only" if parameter.passing == "keyword" else "positional"


def _changed_passing(old: Sequence[ir.Parameter], new: Sequence[ir.Parameter]) -> Iterator[str]:
    passing = {parameter.name: _passing(parameter) for parameter in new if parameter.passing != "variadic"}
    for parameter in old:
        if parameter.passing != "variadic" and passing.get(parameter.name, _passing(parameter)) != _passing(parameter):
            yield parameter.name


def _positional(old: list[ir.Parameter], new: list[ir.Parameter], all_old: list[ir.Parameter], tell: Tell) -> _Pairs:
    moved = _moved(old, new)
    if moved is not None:
        tell("parameter-moved", *moved, "its place is another, or that of those behind it")
        by_name = {parameter.name: parameter for parameter in new}
        yield from ((one, by_name[one.name]) for one in old if one.name in by_name)
        return
    for one, other in zip(old, new, strict=False):
        if one.name != other.name and (one.passing, other.passing) == ("positional", "positional"):
            tell("parameter-renamed", other, one, f"it was called {one.name}, and is called {other.name}")
        yield one, other
    if len(new) > len(old) and _of(all_old, "variadic"):
        tell("parameter-moved", new[len(old)], None, "it stands before the arguments that are left")
        return
    for parameter in new[len(old) :]:
        _added(parameter, tell)
    for parameter in old[len(new) :]:
        _removed(parameter, tell)


def _moved(old: list[ir.Parameter], new: list[ir.Parameter]) -> tuple[ir.Parameter | None, ir.Parameter | None] | None:
    """The first parameter that stands where another stood, of which one is still there or was there already."""
    before, after = {parameter.name for parameter in old}, {parameter.name for parameter in new}
    for one, other in zip(old, new, strict=False):
        if one.name != other.name and (one.name in after or other.name in before):
            return (other if other.name not in before else None), (one if one.name not in after else None)
    return None


def _keywords(old: list[ir.Parameter], new: list[ir.Parameter], tell: Tell) -> _Pairs:
    left = list(new)
    for one in old:
        other = next((found for found in left if found.wire == one.wire), None)
        if other is None:
            other = next((found for found in left if found.name == one.name), None)
            if other is None:
                _removed(one, tell)
                continue
            tell("keyword-renamed", other, one, f"it was called {one.wire!r} on the wire, and is called {other.wire!r}")
        elif other.name != one.name:
            tell("parameter-renamed", other, one, f"it was called {one.name}, and is called {other.name}")
        left.remove(other)
        yield one, other
    for parameter in left:
        _added(parameter, tell)


def _variadic(old: list[ir.Parameter], new: list[ir.Parameter], tell: Tell) -> _Pairs:
    yield from zip(old, new, strict=False)
    for parameter in new[len(old) :]:
        tell("optional-parameter-added", parameter, None, "it was added")
    for parameter in old[len(new) :]:
        tell("parameter-removed", None, parameter, "it was removed", Effects(CHECKED, SAFE, code=True))


def _added(parameter: ir.Parameter, tell: Tell) -> None:
    rule = "required-parameter-added" if parameter.default is None else "optional-parameter-added"
    tell(rule, parameter, None, "it was added")


def _removed(parameter: ir.Parameter, tell: Tell) -> None:
    missed = BREAKS if parameter.default is None else SAFE
    tell("parameter-removed", None, parameter, "it was removed", Effects(CHECKED, missed, code=True))


def _defaults(old: ir.Parameter, new: ir.Parameter, tell: Tell) -> None:
    if old.passing == "variadic" or new.passing == "variadic":
        return
    if old.default is None and new.default is not None:
        tell("parameter-optional", new, old, "it has a default now")
    elif old.default is not None and new.default is None:
        tell("parameter-required", new, old, "it has no default any more")
    elif repr(old.default) != repr(new.default) and old.default and new.default:
        message = f"its default was {_shown(old.default)}, and is {_shown(new.default)}"
        tell("default-changed", new, old, message)


def _shown(default: ir.Default) -> str:
    value = default.value
    return value.float if isinstance(value, ir.SpecialFloat) else repr(value)
