"""Expressions of the wire in words, for people. Rule: bounded in length and depth whatever arrives, and no secret in
it.

It reads what `core.evaluate` reads, and shares nothing with it: what cannot be understood is shown as JSON, and nothing
is ever made of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, Final

from capnweb_runtime.core.text import dumps_with
from capnweb_runtime.inspector.redaction import HIDDEN, is_secret, without_secrets
from capnweb_runtime.observe import printable

LONGEST: Final = 600
"""Characters of one expression that are shown."""
_DEEPEST: Final = 12
_LONGEST_TEXT: Final = 200
_LAST_DATE: Final = 253_402_300_799_999


class _Full(Exception):
    """There is no room for more."""


class Words:
    """Writes one expression.

    Parameters:
        named: gives what an object is called, by its expression and id: "export", "import", "pipeline", ...; "" where
            that is not known.

    Attributes:
        hidden: keys of objects whose values are secret by the schema.
    """

    def __init__(self, named: Callable[[str, int], str]) -> None:
        self._named = named
        self.hidden: frozenset[str] = frozenset()
        self._parts: list[str] = []
        self._room = LONGEST

    def value(self, wire: Any) -> str:
        """A value, in words."""
        return self._finished(lambda: self._write(wire, 0))

    def arguments(self, wire: list[Any], names: list[str], secret: Sequence[bool] = ()) -> str:
        """The arguments of a call, without those that are secret, by the schema or by their names.

        Parameters:
            wire: an expression for each.
            names: of the parameters; "" behind the last.
            secret: which of them the schema says to be secret.
        """

        def write() -> None:
            for index, item in enumerate(wire):
                name = names[index] if index < len(names) else ""
                self._say(", " if index else "")
                self._say(f"{name}: " if name else "")
                if index < len(secret) and secret[index] and not _is_reference(item):
                    self._say(HIDDEN)
                else:
                    self._secret_or(name, item, 1)

        return self._finished(write)

    def _finished(self, write: Callable[[], None]) -> str:
        try:
            write()
        except _Full:
            self._parts.append("…")
        # What would change how the page shows it, a control character or a turn of direction, is escaped.
        return printable(without_secrets("".join(self._parts)), LONGEST + 1)[: 2 * LONGEST]

    def _say(self, text: str) -> None:
        if len(text) > self._room:
            self._parts.append(text[: self._room])
            raise _Full
        self._room -= len(text)
        self._parts.append(text)

    def _secret_or(self, name: str, wire: Any, depth: int) -> None:
        if (name in self.hidden or is_secret(name)) and not _is_reference(wire):
            self._say(HIDDEN)
        else:
            self._write(wire, depth)

    def _write(self, wire: Any, depth: int) -> None:
        if depth > _DEEPEST:
            self._say("…")
        elif type(wire) is dict:
            self._say("{")
            for index, (key, item) in enumerate(wire.items()):
                self._say((", " if index else "") + f"{key}: ")
                self._secret_or(str(key), item, depth + 1)
            self._say("}")
        elif type(wire) is list:
            self._write_expression(wire, depth)
        elif type(wire) is str:
            # Whole, or a secret in it could pass for something else.
            text = without_secrets(wire[: 10 * _LONGEST_TEXT])
            self._say(_json(text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"))
        else:
            self._say(_json(wire))

    def _write_expression(self, wire: list[Any], depth: int) -> None:
        kind = wire[0] if wire else None
        if len(wire) == 1 and type(kind) is list:
            self._say("[")
            for index, item in enumerate(kind):
                self._say(", " if index else "")
                self._write(item, depth + 1)
            self._say("]")
            return
        writer = self._writers.get(kind) if type(kind) is str else None
        if writer is None or len(wire) < 2:
            self._say(
                {"undefined": "undefined", "inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(kind), "(malformed)")
            )
        else:
            writer(self, wire, depth)

    def _reference(self, wire: list[Any], _: int) -> None:
        name = self._named(str(wire[0]), wire[1]) if type(wire[1]) is int else ""
        self._say(f"‹{name or wire[0]} {_id(wire[1])}›")

    def _pipeline(self, wire: list[Any], _: int) -> None:
        path = wire[2] if len(wire) > 2 else []
        self._say(f"‹{_id(wire[1])}{path_text(path, '.')}›")
        if len(wire) > 3:  # arguments, of which it is not known whether they are secret
            self._say("(…)")

    def _remap(self, wire: list[Any], _: int) -> None:
        path = path_text(wire[2], ".") if len(wire) > 2 else ""
        steps = len(wire[4]) if len(wire) > 4 and type(wire[4]) is list else 0
        self._say(f"‹{_id(wire[1])}{path}›.map({steps} steps)")

    def _bytes(self, wire: list[Any], _: int) -> None:
        size = len(wire[1]) * 3 // 4 if type(wire[1]) is str else 0
        self._say(f"‹{size:,} bytes›" if type(wire[1]) is str else "‹bytes›")

    def _date(self, wire: list[Any], _: int) -> None:
        moment = wire[1]
        if type(moment) in (int, float) and 0 <= moment < _LAST_DATE:
            found = datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC)
            self._say(found.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        else:
            self._say(f"date({_json(moment)[:40]})")

    def _bigint(self, wire: list[Any], _: int) -> None:
        self._say(without_secrets(str(wire[1])[:_LONGEST_TEXT]))

    def _error(self, wire: list[Any], depth: int) -> None:
        message = str(wire[2]) if len(wire) > 2 else ""
        self._say(f"{str(wire[1])[:80]}: {without_secrets(message[: 10 * _LONGEST_TEXT])[:_LONGEST_TEXT]}")
        extra = wire[4] if len(wire) > 4 else None
        if type(extra) is dict and extra:
            self._say(" ")
            self._write(extra, depth + 1)

    def _other(self, wire: list[Any], _: int) -> None:
        self._say(f"‹{wire[0]}›")

    _writers: Final[dict[str, Callable[[Words, list[Any], int], None]]] = {
        "export": _reference,
        "import": _reference,
        "promise": _reference,
        "readable": _reference,
        "writable": _reference,
        "pipeline": _pipeline,
        "remap": _remap,
        "bytes": _bytes,
        "date": _date,
        "bigint": _bigint,
        "error": _error,
        **dict.fromkeys(("url", "headers", "request", "response", "blob", "large"), _other),
    }


def path_text(path: Any, before: str) -> str:
    """A path, each step of it behind the given text."""
    if type(path) is not list:
        return ""
    return "".join(before + str(step)[:_LONGEST_TEXT] for step in path[:_DEEPEST])


def _is_reference(wire: Any) -> bool:
    """Whether it stands for an object or a result, which has no text that could be secret."""
    return type(wire) is list and len(wire) > 1 and wire[0] in ("export", "import", "promise", "pipeline", "readable")


def _id(number: Any) -> str:
    return f"#{number}" if type(number) is int else "#?"


def _json(value: Any) -> str:
    try:
        return dumps_with(value, repr).decode("utf-8", "replace")
    except (RecursionError, TypeError, ValueError):
        return "(a value that cannot be shown)"
