"""Results as they are printed: as JSON for programs, as a tree for people. Rule: whatever a server sends, nothing of it
reaches a terminal but characters that can be printed.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncIterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

from capnweb_gen.client.described import Described, Part, Type
from capnweb_gen.client.spelled import type_text
from capnweb_runtime.core.hook import StubRef
from capnweb_runtime.errors import PEER, RpcError, SessionError, wire_message, wire_type
from capnweb_runtime.values import UNDEFINED, Blob, Headers, Request, Response, SturdyRef, Url, WireDate

Format = Literal["json", "tree"]
_SHORT = 72
"""Characters of a list of plain values that stands in one line of a tree."""
_SHOWN_BYTES = 64


def clean(text: str) -> str:
    """A text of a server's for people, in which what cannot be printed is escaped; lines stay lines."""
    return text if _is_clean(text) else "".join(map(_escaped, text))


def error_text(error: BaseException, shown: Shown) -> str:
    """What came in place of a result: its type, its text, whose it is, and what it has beside that."""
    ours = isinstance(error, SessionError | ImportError) and PEER not in vars(error)
    lines = [str(error) if ours else f"{wire_type(error)}: {wire_message(error)}"]
    lines += [f"    {note}" for note in getattr(error, "__notes__", ())]
    if isinstance(error, RpcError):
        lines += [f"    {name}: {shown.brief(value)}" for name, value in error.props.items()]
    return clean("\n".join(lines))


def _is_clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def _escaped(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return character.encode("unicode_escape").decode()


class Shown:
    """Makes text of results.

    Args:
        described: what is said of the server.
        form: what kind of text.
        encoding: of what the text is written to; what that cannot hold is escaped.
    """

    def __init__(self, described: Described, form: Format, encoding: str) -> None:
        self._described = described
        self._form = form
        self._encoding = encoding

    def whole(self, value: object, kind: Type) -> str:
        """A result, over as many lines as it takes, without the end of the last."""
        if self._form == "json":
            return self._json(value, kind, indent=2)
        tree = "\n".join(self._tree(value, kind))
        return tree.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def item(self, value: object, kind: Type) -> str:
        """An item of a stream of that type, in one line if it is JSON, without its end."""
        inner = self._described.inside(kind, 0)
        return self._json(value, inner) if self._form == "json" else self.whole(value, inner)

    def brief(self, value: object) -> str:
        """A value of which nothing is known, as JSON in one line."""
        return self._json(value, ())

    # ---- JSON

    def _json(self, value: object, kind: Type, indent: int | None = None) -> str:
        text = json.dumps(self._plain(value, kind), indent=indent, ensure_ascii=False, allow_nan=False)
        if _is_clean(text) and _fits(text, self._encoding):
            return text
        return "".join(map(self._in_json, text))

    def _in_json(self, character: str) -> str:
        """A character of JSON text; those that may have to be escaped are inside of strings."""
        if character == "\n" or (character.isprintable() and _fits(character, self._encoding)):
            return character
        escaped = json.dumps(character)[1:-1]
        return escaped if escaped != character else f"\\u{ord(character):04x}"

    def _plain(self, value: object, kind: Type) -> object:
        """A value as JSON has it. What it has no form for is an object whose key begins with a dollar."""
        match value:
            case None | bool() | int():
                return value
            case str():
                return str(value)
            case float():
                return value if math.isfinite(value) else {"$float": repr(value)}
            case bytes() | bytearray():
                return {"$bytes": base64.b64encode(value).decode()}
            case list() | tuple():
                items = cast("Sequence[object]", value)
                return [self._plain(item, self._described.inside(kind, index)) for index, item in enumerate(items)]
            case Headers():
                return dict(value)
            case Mapping():
                fields = cast("Mapping[str, object]", value)
                return {key: self._plain(item, self._described.inside(kind, key)) for key, item in fields.items()}
            case datetime():
                return _moment(value)
            case Blob(data=data, type=media_type):
                return {"$blob": base64.b64encode(data).decode(), "type": media_type}
            case BaseException():
                return {"$error": wire_type(value), "message": wire_message(value)}
            case _:
                return self._special(value, kind)

    def _special(self, value: object, kind: Type) -> object:
        """The same, of what is hardly ever a result."""
        match value:
            case Request():
                sent = {"$request": value.url, "method": value.method, "headers": dict(value.headers)}
                return {**sent, "body": self._plain(value.body, ())}
            case Response(status=status):
                return {"$response": status, "headers": dict(value.headers), "body": self._plain(value.body, ())}
            case AsyncIterable():
                return {"$stream": self._name(kind, "")}
            case StubRef():
                return {"$capability": self._name(kind, "")}
            case WireDate(ms=ms):
                return {"$date": ms}
            case SturdyRef(token=token):
                return str(token)
            case _:
                return None if value is UNDEFINED else {"$other": type(value).__name__}

    # ---- trees

    def _tree(self, value: object, kind: Type) -> Iterator[str]:
        """The lines of a tree; those after the first hang from it."""
        entries = self._entries(value, kind)
        if not entries:
            yield self._leaf(value, kind)
            return
        line = f"[{', '.join(self._leaf(item, inner) for _, item, inner in entries)}]"
        if isinstance(value, list) and len(line) <= _SHORT and not any(self._entries(one, ()) for _, one, _ in entries):
            yield line
            return
        yield (
            self._name(kind, "dict")
            if not isinstance(value, Sequence)
            else f"{len(entries)} item{'' if len(entries) == 1 else 's'}"
        )
        for number, (key, item, inner) in enumerate(entries, 1):
            first, further = ("└─ ", "   ") if number == len(entries) else ("├─ ", "│  ")
            lines = self._tree(item, inner)
            yield f"{first}{key}: {next(lines)}".rstrip()
            for line in lines:
                yield f"{further}{line}"

    def _entries(self, value: object, kind: Type) -> list[tuple[str, object, Type]]:
        """What a value holds: what each is called, what it is, and its type."""
        inside = self._described.inside
        match value:
            case list() | tuple():
                items = cast("Sequence[object]", value)
                return [(str(index), item, inside(kind, index)) for index, item in enumerate(items)]
            case Headers():
                return [(name, text, ()) for name, text in value.pairs]
            case Mapping():
                fields = cast("Mapping[str, object]", value)
                return [(_key(key), item, inside(kind, key)) for key, item in fields.items()]
            case Request():
                sent = {"url": value.url, "method": value.method, "headers": value.headers, "body": value.body}
                return [(name, item, ()) for name, item in sent.items()]
            case Response():
                return [("status", value.status, ()), ("headers", value.headers, ()), ("body", value.body, ())]
            case _:
                return []

    def _leaf(self, value: object, kind: Type) -> str:
        """A value in which there is nothing, as Python would say it; `repr` escapes what cannot be printed."""
        match value:
            case bytes() | bytearray():
                size = f"… ({len(value)} bytes)" if len(value) > _SHOWN_BYTES else ""
                return f"{bytes(value[:_SHOWN_BYTES])!r}{size}"
            case bool() | int() | float() | None:
                return str(value)
            case Url() | str():
                return str.__repr__(value)
            case datetime():
                return _moment(value)
            case Blob(data=data, type=media_type):
                return f"<Blob of {len(data)} bytes{media_type and f', {media_type!r}'}>"
            case AsyncIterable():
                return f"<{self._name(kind, 'a stream')}>"
            case StubRef():
                return f"<{self._name(kind, 'a capability')}>"
            case BaseException():
                return f"<{wire_type(value)!r}: {wire_message(value)!r}>"
            case SturdyRef(token=token):
                return repr(token)
            case _:
                return "undefined" if value is UNDEFINED else repr(value)

    def _name(self, kind: Type, otherwise: str) -> str:
        """What a value is called by its type."""
        return " | ".join(dict.fromkeys(map(_type_name, kind))) or otherwise


def _type_name(part: Part) -> str:
    return type_text(part.shape)


def _key(key: object) -> str:
    return key if isinstance(key, str) and key.isidentifier() else repr(key)


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
