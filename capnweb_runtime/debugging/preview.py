"""Values as they stand in messages, for people. Rule: all of a value is walked, so that what its ids stand for is known
afterwards, and little of it is shown; what the schema calls secret is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from capnweb_runtime.core.hook import Wire
from capnweb_runtime.core.interface import Arguments, Parameter
from capnweb_runtime.debugging.names import LONGEST_NAME
from capnweb_runtime.debugging.tables import STREAM, Known, Table
from capnweb_runtime.debugging.typed import UNKNOWN, Typed, typed
from capnweb_runtime.observe import printable
from capnweb_runtime.values import WireDate, date_from_ms

HIDDEN: Final = "***"
DEEPEST: Final = 100
"""Levels of a value that are walked."""
_LONGEST_TEXT: Final = 200
"""Characters of one string that are shown."""
_TOKEN: Final = re.compile(r"eyJ[\w.-]{16,}", re.ASCII)
"""What begins as every JWT does: the base64 of `{"`."""
_LEAVES: Final = frozenset((str, int, float, bool, type(None)))


class Preview:
    """Shows the values of one message.

    Parameters:
        ours: the table of what its sender exports with it.
        theirs: the table of what its receiver has exported before.
        most: characters that are shown.
    """

    def __init__(self, ours: Table, theirs: Table, most: int) -> None:
        self._ours = ours
        self._theirs = theirs
        self._most = most
        self._parts: list[str] = []
        self._size = 0
        self._hiding = 0  # how many of the values around the current one are secret

    def text(self) -> str:
        """What has been shown."""
        text = "".join(self._parts)
        return text if self._size <= self._most else text[: self._most] + "…"

    def put(self, text: str) -> None:
        """Shows a text, as long as there is room."""
        if self._hiding == 0 and self._size <= self._most:
            self._parts.append(text)
            self._size += len(text)

    def value(self, wire: Wire, of: Typed = UNKNOWN, depth: int = 0) -> None:
        """Shows a value.

        Parameters:
            wire: its expression.
            of: what is known of its type.
            depth: how deep it stands.
        """
        secret = of.secret
        if secret:
            self.put(HIDDEN)
            self._hiding += 1
        if depth > DEEPEST:
            self._ours.missed = True
            self.put("…")
        elif type(wire) is dict:
            self._fields(wire, of, depth)
        elif type(wire) is not list:
            self.put(_leaf(wire))
        elif len(wire) == 1 and type(wire[0]) is list:
            self._items(wire[0], of, depth)
        else:
            self._special(wire, of, depth)
        self._hiding -= secret

    def arguments(self, wire: list[Wire], method: Any, each: Typed = UNKNOWN) -> None:
        """Shows the arguments of a call, by the names of the parameters.

        Parameters:
            wire: the expressions.
            method: what is called; None if that is not known.
            each: what is known of each, whatever the method says of it.
        """
        params = getattr(method, "params", None)
        if not isinstance(params, Arguments):
            self._list([(item, "", each) for item in wire], 1)
            return
        last = len(wire) - 1 if params.keyword and params._ends_as_keywords(wire) else len(wire)
        shown = []
        for index, item in enumerate(wire[:last]):
            known = params.positional[index] if index < len(params.positional) else params.variadic
            named = known is not None and not known.variadic
            shown.append((item, f"{known.name}=" if named and known else "", _type_of(known, each)))
        if last < len(wire):
            by_wire = {param.wire: param for param in params.keyword}
            for key, item in wire[last].items():
                known = by_wire.get(key)
                shown.append((item, f"{known.name if known else key}=", _type_of(known, each)))
        self._list([one for one in shown if one[0] != ["undefined"]], 1)

    def _list(self, items: Sequence[tuple[Wire, str, Typed]], depth: int) -> None:
        for index, (item, name, of) in enumerate(items):
            self.put(", " if index else "")
            self.put(name)
            self.value(item, of, depth)

    def _items(self, items: list[Wire], of: Typed, depth: int) -> None:
        self.put("[")
        inner = of.item(0)
        for index, item in enumerate(items):
            if self._size > self._most and type(item) in _LEAVES:
                continue
            self.put(", " if index else "")
            self.value(item, inner if index == 0 else of.item(index) if len(items) < DEEPEST else inner, depth + 1)
        self.put("]")

    def _fields(self, fields: dict[str, Wire], of: Typed, depth: int) -> None:
        self.put("{")
        for index, (key, item) in enumerate(fields.items()):
            self.put(f"{', ' if index else ''}{_leaf(key)}: ")
            self.value(item, of.item(key), depth + 1)
        self.put("}")

    def _special(self, wire: list[Wire], of: Typed, depth: int) -> None:
        """An expression that is no array: a value of a class, or a capability."""
        kind = wire[0] if wire else None
        rest = wire[1:]
        if kind in ("export", "promise", "writable") and rest:
            told = printable(rest[1], LONGEST_NAME) if len(rest) > 1 and type(rest[1]) is str else ""
            is_stream = kind == "writable"
            name = STREAM if is_stream else of.interface or told
            known = Known(name, of.chunks() if is_stream else of, is_stream=is_stream)
            self._ours.add(rest[0], known)
            self._reference(self._ours.get(rest[0]).name or ("promise" if kind == "promise" else ""), rest[0])
        elif kind in ("import", "pipeline") and rest:
            path = rest[1] if len(rest) > 1 and type(rest[1]) is list else []
            known = self._theirs.get(rest[0])
            self._reference(known.called(tuple(path)) if path else known.name, rest[0])
            if len(rest) > 2 and type(rest[2]) is list:
                self.put("(")
                self.arguments(rest[2], known.member(tuple(path))[0], Typed(secret=known.type.secret))
                self.put(")")
        elif kind == "readable" and rest:
            self._theirs.is_stream(rest[0], of.chunks())
            self._reference(STREAM, rest[0])
        else:
            self.put(_special_leaf(kind, rest))
            for item in rest:  # for the capabilities in a body or a property of an error
                if type(item) not in _LEAVES:
                    self._hiding += 1
                    self.value(item, of, depth + 1)
                    self._hiding -= 1

    def _reference(self, name: str, wire_id: object) -> None:
        self.put(f"<{name or 'object'} #{wire_id}>")


def _type_of(param: Parameter | None, each: Typed) -> Typed:
    return each if param is None else typed(param.codec, param.secret or each.secret)


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        cut = value[:_LONGEST_TEXT]
        return _TOKEN.sub("eyJ***", json.dumps(cut, ensure_ascii=False)) + ("…" if len(value) > len(cut) else "")
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, (int, float)) else f"<{type(value).__name__}>"


def _special_leaf(kind: object, rest: list[Wire]) -> str:
    first = rest[0] if rest else None
    if kind == "undefined":
        return "undefined"
    if kind in ("nan", "inf", "-inf"):
        return str(kind)
    if kind == "bigint" and isinstance(first, str):
        return first[:_LONGEST_TEXT]
    if kind == "date" and type(first) in (int, float):
        date = date_from_ms(first)
        return repr(date) if isinstance(date, WireDate) else date.isoformat()
    if kind == "bytes":
        if isinstance(first, str):
            return f"<{len(first.rstrip('=')) * 3 // 4} bytes>"
        return f"<{len(first)} bytes>" if isinstance(first, (bytes, bytearray)) else "<bytes>"
    if kind == "error":
        return f"{_error(rest)}"
    return f"<{str(kind)[:_LONGEST_TEXT]}>"


def _error(rest: list[Wire]) -> str:
    name, message = (*rest, "", "")[:2]
    name, message = str(name)[:_LONGEST_TEXT], str(message)[: 2 * _LONGEST_TEXT]
    return f"{name}: {_TOKEN.sub('eyJ***', message)}" if message else name


def error_text(wire: Wire) -> str:
    """What a reject or an abort says.

    Parameters:
        wire: the expression of the reason.
    """
    if type(wire) is list and wire and wire[0] == "error":
        return _error(wire[1:])
    return "a value that is no error"
