"""A value that is not of its declared type. Rule: say where, what was expected and what came, and never show more
than a line of it.

Codecs raise `Mismatch` at the leaf; each container on the way out adds its step of the path; who knows what the whole
is called (an argument, a result) turns it into the TypeError that a person reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from capnweb_runtime.core.hook import Exporter, PromiseRef, StubRef, Wire
from capnweb_runtime.values import FORBIDDEN_KEYS

_SPECIAL = {
    "bytes": "bytes",
    "date": "a date",
    "bigint": "an int",
    "error": "an error",
    "undefined": "undefined",
    "inf": "inf",
    "-inf": "-inf",
    "nan": "nan",
    "export": "a capability",
    "import": "a capability",
    "promise": "a promise",
    "pipeline": "a promise",
    "remap": "a promise",
}

_NO_FIELD: Final = "model_extra"
SENT_BY: Final = "__capnweb_sent_by__"
"""Attribute of an exception: the host of the session whose peer has sent what it complains of."""


class Mismatch(Exception):
    """A value is not of the type that was declared for it.

    Parameters:
        expected: the declared type, in words.
        actual: what came instead, in words.
    """

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(expected, actual)
        self.expected = expected
        self.actual = actual
        self._steps: list[str | int] = []  # the innermost first

    @property
    def nested(self) -> bool:
        """Whether it was found in a part of the value: the value as a whole has the right form."""
        return bool(self._steps)

    def inside(self, key: str | int) -> Mismatch:
        """Adds an outer step to the path, the field or index where the container found it; returns itself, to be
        raised.
        """
        self._steps.append(key)
        return self

    def unshown(self) -> Mismatch:
        """Takes what came out of the text, where a class does not want it shown; returns itself, to be raised."""
        self.actual = "what is not to be shown"
        return self

    def error(self, whole: str, parameter: str | None = None) -> TypeError:
        """The TypeError for a reader; for a program it has the same as properties, which travel with it: `path`, a list
        of names and indices, and `expected` and `actual` in words.

        Parameters:
            whole: what the path starts from, such as "argument 'profile'" or "result".
            parameter: the parameter, with which the list begins.
        """
        steps = self._steps[::-1]
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        where = f"{whole[:-1]}{path}'" if whole.endswith("'") else f"{whole}{path}"
        error = TypeError(f"{where}: expected {self.expected}, got {self.actual}")
        full = steps if parameter is None else [parameter, *steps]
        vars(error)["props"] = {"path": full, "expected": self.expected, "actual": self.actual}
        return error

    def outermost(self) -> tuple[str, Mismatch]:
        """Splits off the first step, a parameter's name; the rest of the path stays."""
        return str(self._steps.pop() if self._steps else ""), self


def wire_mismatch(expected: str, wire: Wire) -> Mismatch:
    """The mismatch for a wire form."""
    return Mismatch(expected, describe_wire(wire))


def value_mismatch(expected: str, value: Any) -> Mismatch:
    """The mismatch for a value of the application."""
    return Mismatch(expected, describe_value(value))


def dropped_key(keys: Iterable[Any]) -> Mismatch:
    """The mismatch for an object of which one key would vanish at a peer."""
    key = next(str(key) for key in keys if key in FORBIDDEN_KEYS)
    return Mismatch(
        "keys that peers keep",
        f"{key!r}, which JavaScript objects inherit, so that peers drop it: send a list of pairs, or prefix the keys",
    )


class _Watched:
    """A model, or what a model has its values in, that knows what was taken from it last."""

    __slots__ = ("_seen", "_value")

    def __init__(self, value: Any, seen: list[str]) -> None:
        self._value = value
        self._seen = seen

    def __getattribute__(self, name: str) -> Any:
        value, seen = object.__getattribute__(self, "_value"), object.__getattribute__(self, "_seen")
        if name == "__dict__":
            return _Watched(value.__dict__, seen)
        seen.append(name)
        return getattr(value, name)

    def __getitem__(self, key: str) -> Any:
        value: Mapping[str, Any] = object.__getattribute__(self, "_value")
        object.__getattribute__(self, "_seen").append(key)
        return value[key]

    def __contains__(self, key: object) -> bool:
        return key in object.__getattribute__(self, "_value")


def located(mismatch: Mismatch, encode: Callable[[Any, Exporter], Wire], value: Any, to: Exporter) -> Mismatch:
    """A mismatch with the field of the model as an outer step of its path, if it can be told.

    The function that encodes a model is generated code without a word on where it is. It takes the fields in order, so
    that the last one that it took is the one that has no wire form. It is asked only once sending has failed, so that
    this costs nothing before; and only of a model without capabilities, which would be exported, and disposed, twice.

    Parameters:
        mismatch: with which encoding the model has failed.
        encode: the generated function.
        value: the model, or a dict with known keys.
        to: what exports were made at; nothing is left of those made here.
    """
    seen: list[str] = []
    mark = to.mark()
    try:
        encode(_Watched(value, seen), to)
    except Mismatch:
        return mismatch.inside(seen[-1]) if seen and seen[-1] != _NO_FIELD else mismatch
    except Exception:  # a coroutine can be taken once only
        return mismatch
    finally:
        to.take_back(mark)
    return mismatch


def describe_wire(wire: Wire) -> str:
    """What a wire form is, in a few words."""
    if type(wire) is list:
        if len(wire) == 1 and type(wire[0]) is list:
            return f"a list of {len(wire[0])}"
        return _SPECIAL.get(wire[0], "a value") if wire and type(wire[0]) is str else "a malformed expression"
    if type(wire) is dict:
        return "an object"
    return describe_value(wire)


def describe_value(value: Any) -> str:
    """What a value of the application is, in a few words: its type, and the start of it where that is harmless."""
    if value is None:
        return "None"
    if type(value) in (bool, int, float, str):
        if type(value) is int and value.bit_length() > 256:  # Python refuses the text of very large ones
            return f"int of {value.bit_length()} bits"
        text = repr(value)
        return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
    if isinstance(value, (StubRef, PromiseRef)):
        return type(value).__name__
    if type(value) in (date, datetime):
        return f"{type(value).__name__} {value}"
    return f"an instance of {type(value).__name__}"
