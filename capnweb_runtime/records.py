"""`@dataclass(frozen=True, slots=True)` that costs the start of a program next to nothing. Rule: what is made is a data
class, to type checkers and to `dataclasses.replace` alike.

The decorator of the standard library writes and compiles the source of seven methods for each class; for the classes
that a client needs that was a twentieth of its start. Here all classes share their methods, which read the fields when
they are called: slower, and meant for what is made once a session or once a value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    declared = fields(self)
    name = f"{type(self).__name__}()"
    if len(args) > len(declared):
        raise TypeError(f"{name} takes at most {len(declared)} arguments, {len(args)} were given")
    given = {field.name: value for field, value in zip(declared, args, strict=False)}
    if twice := given.keys() & kwargs.keys():
        raise TypeError(f"{name} got more than one value for {', '.join(sorted(twice))}")
    given |= kwargs
    for field in declared:
        if field.name in given:
            value = given.pop(field.name)
        elif field.default is not MISSING:
            value = field.default
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            raise TypeError(f"{name} needs a value for {field.name}")
        object.__setattr__(self, field.name, value)
    if given:
        raise TypeError(f"{name} has no field {', '.join(given)}")


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, field.name) for field in fields(self) if field.compare)


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


@recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({shown})"


def _setattr(self: Any, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reduce(self: Any) -> tuple[Any, ...]:
    # Copying and unpickling would assign to fields otherwise.
    return type(self), tuple(getattr(self, field.name) for field in fields(self))


_METHODS: dict[str, Callable[..., Any]] = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__reduce__": _reduce,
}

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen, slots):
        """The decorator. Classes that are not frozen, or have no slots, have no use for it."""

        def decorate(cls):
            for name, method in _METHODS.items():
                setattr(cls, name, method)
            return dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)

        return decorate
