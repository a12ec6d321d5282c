"""What two ends of this implementation agree on beyond the protocol: a client offers names in the headers of its
request, and the server's answer has the one that it has chosen. Rule: whoever says nothing of it, or something
malformed, has agreed to nothing, and sees nothing of it.

Source: https://datatracker.ietf.org/doc/html/draft-ietf-webtrans-http3, "Application Protocol Negotiation". Both
headers are structured fields of strings (https://datatracker.ietf.org/doc/html/rfc9651): what has another type is left
out as a whole, and parameters mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from capnweb_runtime.transports.websocket import AGREEABLE

AVAILABLE: Final = b"wt-available-protocols"
"""Header of a request: what the client can agree to, the best first."""
CHOSEN: Final = b"wt-protocol"
"""Header of an answer: which of it the server has chosen."""
_LONGEST: Final = 4096
"""Bytes of a header that are looked at: longer ones say nothing."""
_STRING: Final = r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
_PARAMETERS: Final = (
    r'(?:; *[a-z*][a-z0-9_\-.*]*(?:=(?:"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|[^\x00-\x20",;]+))?)*'
)
_MEMBER: Final = re.compile(_STRING + _PARAMETERS)
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")

Headers = Iterable[tuple[bytes, bytes]]


def offered() -> tuple[bytes, bytes]:
    """The header of a client's request."""
    return AVAILABLE, ", ".join(f'"{name}"' for name in AGREEABLE).encode()


def chosen_of(request: Headers) -> str | None:
    """What a server agrees to, of what a request offers; None if it knows none of that."""
    names = _strings(request, AVAILABLE)
    return next((name for name in AGREEABLE if name in names), None)


def choice(name: str) -> tuple[bytes, bytes]:
    """The header of a server's answer."""
    return CHOSEN, f'"{name}"'.encode()


def agreed_in(answer: Headers) -> str | None:
    """What a server's answer agrees to; None if that is nothing, or nothing that was offered."""
    names = _strings(answer, CHOSEN)
    return names[0] if len(names) == 1 and names[0] in AGREEABLE else None


def _strings(headers: Headers, wanted: bytes) -> list[str]:
    """The strings of a header, whose values may stand in several; none if it has anything else in it."""
    text = b", ".join(value for name, value in headers if name == wanted)[: _LONGEST + 1].decode("latin-1").strip()
    found: list[str] = []
    at = 0
    while text and len(text) <= _LONGEST:
        member = _MEMBER.match(text, at)
        if member is None:
            return []
        found.append(re.sub(r"\\(.)", r"\1", member[1]))
        at = member.end()
        if at == len(text):
            return found
        comma = _COMMA.match(text, at)
        if comma is None:
            return []
        at = comma.end()
    return []
