"""The messages of a session, for a log: one line for each, with what it is and the id that it is about in front. Rule:
nothing imports this module before a session is to be shown, and nothing here can fail the session.

Calls and pipes have no id in their messages, since both ends count them; here it is counted along. Tokens of sturdy
references, as of whatever else is a JWT, are left out.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from capnweb_runtime.core.text import dumps_with
from capnweb_runtime.observe import printable

LONGEST: Final = 500
"""Characters of a message that are shown."""
_COUNTED: Final = frozenset(("push", "stream", "pipe"))
_KIND: Final = re.compile(r'\s*\[\s*"(\w{1,20})"\s*(?:,\s*|\]\s*$)')
_TOKEN: Final = re.compile(r"eyJ[\w.-]{16,}", re.ASCII)
"""What begins as every JWT does: the base64 of `{"`. One that is cut off ends where the text does."""
_ID: Final = re.compile(r"(-?\d{1,20})\s*(?:,\s*|\]\s*$)")


class Trace:
    """Shows the messages of one session.

    Parameters:
        label: what to call it.
        logger: where to show them, at level DEBUG.
    """

    def __init__(self, label: str, logger: logging.Logger) -> None:
        self._label = label
        self._logger = logger
        self._received = _Direction("<-")
        self._sent = _Direction("->")

    def received(self, messages: list[Any]) -> None:
        """Shows what has arrived."""
        self._show(self._received, messages)

    def sent(self, messages: list[Any]) -> None:
        """Shows what is sent."""
        self._show(self._sent, messages)

    def _show(self, direction: _Direction, messages: list[Any]) -> None:
        for message in messages:
            self._logger.debug("%s %s %s", self._label, direction.arrow, direction.line(message))


class _Direction:
    """What goes one way: counts calls and pipes."""

    def __init__(self, arrow: str) -> None:
        self.arrow = arrow
        self._next = 1

    def line(self, message: Any) -> str:
        """A message as it is shown."""
        attached = ""
        if isinstance(message, tuple):
            message, *attachments = message
            attached = f" and {sum(map(len, attachments))} bytes in {len(attachments)} attachments"
        text = _TOKEN.sub("eyJ***", _text(message))
        kind = _KIND.match(text)
        if kind is None:
            return printable(text, LONGEST) + attached
        rest = text[kind.end() :]
        if kind[1] in _COUNTED:
            about, self._next = f" {self._next}", self._next + 1
        elif (found := _ID.match(rest)) is not None:
            about, rest = f" {found[1]}", rest[found.end() :]
        else:
            about = ""
        # The bracket at its end closes the one that was left out.
        rest = rest if len(rest) > LONGEST else rest.rstrip().removesuffix("]")
        return f"{kind[1]}{about} {printable(rest, LONGEST)}".rstrip() + attached


def _text(message: Any) -> str:
    if isinstance(message, (bytes, bytearray)):
        return bytes(message[: 4 * LONGEST]).decode("utf-8", "replace")
    if isinstance(message, str):
        return message[: 4 * LONGEST]
    try:
        return dumps_with(message, repr)[: 4 * LONGEST].decode("utf-8", "replace")
    except Exception as error:  # of what a transport of trees brought
        return f"{type(message).__name__} that cannot be shown: {error}"
