"""A value that is not of its declared type. Rule: say where, what was expected and what came, and never show more
than a line of it.

Codecs raise `Mismatch` at the leaf; each container on the way out adds its step of the path; who knows what the whole
is called (an argument, a result) turns it into the TypeError that a person reads.
"""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.hook import PromiseRef, StubRef, Wire

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
        self._steps: list[str] = []

    @property
    def nested(self) -> bool:
        """Whether it was found in a part of the value: the value as a whole has the right form."""
        return bool(self._steps)

    def inside(self, key: str | int) -> Mismatch:
        """Adds an outer step to the path, the field or index where the container found it; returns itself, to be
        raised.
        """
        self._steps.append(f"[{key}]" if isinstance(key, int) else f".{key}")
        return self

    def unshown(self) -> Mismatch:
        """Takes what came out of the text, where a class does not want it shown; returns itself, to be raised."""
        self.actual = "what is not to be shown"
        return self

    def error(self, whole: str) -> TypeError:
        """The TypeError for a reader.

        Parameters:
            whole: what the path starts from, such as "argument 'profile'" or "result".
        """
        path = "".join(reversed(self._steps))
        where = f"{whole[:-1]}{path}'" if whole.endswith("'") else f"{whole}{path}"
        return TypeError(f"{where}: expected {self.expected}, got {self.actual}")

    def outermost(self) -> tuple[str, Mismatch]:
        """Splits off the first step, a parameter's name; the rest of the path stays."""
        first = self._steps.pop() if self._steps else "."
        return first.lstrip("."), self


def wire_mismatch(expected: str, wire: Wire) -> Mismatch:
    """The mismatch for a wire form."""
    return Mismatch(expected, describe_wire(wire))


def value_mismatch(expected: str, value: Any) -> Mismatch:
    """The mismatch for a value of the application."""
    return Mismatch(expected, describe_value(value))


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
    return f"an instance of {type(value).__name__}"
