"""How an end is told: close codes and HTTP statuses for reasons, and the other way round. Rule: what a peer may do next
follows from the class of the error; both transports take it from here.

    what happened                         sent                             the other end's error
    a session is given up                 1000                             SessionClosed
    a server closes or drains             1012, or 503 with Retry-After    GoingAway
    a fault: a limit, a broken message    an abort message and 3000        PeerAborted

The reference closes with 3000 whatever the reason: without an abort message before it that is a goodbye.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from capnweb_runtime.errors import ConnectionLost, ConnectionRefused, GoingAway, PeerAborted, SessionClosed
from capnweb_runtime.observe import printable

GOODBYE: Final = 1000
"""Close code of a session that is not needed any more."""
RESTART: Final = 1012
"""Close code of a server that is going away."""
ABORTED: Final = 3000
"""Close code of a session that ended with a fault, as the reference uses it."""

# https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
_BY_CODE: Final[dict[int, type[SessionClosed]]] = {
    **dict.fromkeys((1001, RESTART, 1013), GoingAway),  # going away, service restart, try again later
    **dict.fromkeys((1002, 1003, 1007, 1008, 1009, 1010, 1011), PeerAborted),
    1014: ConnectionLost,  # a proxy that has lost its server
}
_LINE: Final = 200  # characters that are shown of a body
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)
# https://datatracker.ietf.org/doc/html/rfc9110#section-5.6.7: the form that all senders must use.
_DATE: Final = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)


class BadHandshake(Exception):
    """The server cannot be talked to, or not trusted: another attempt would come to the same."""


def said(status: int, reason: str, body: bytes = b"", location: str | None = None) -> str:
    """What a server has answered in place of messages, in words: status, and where it leads or the body's first line.

    Parameters:
        status: the HTTP status.
        reason: its reason phrase.
        body: the body, or its beginning.
        location: where else the client should ask.
    """
    line = body.strip().partition(b"\n")[0][: 4 * _LINE].decode("utf-8", "replace").strip()
    more = f" (to {printable(location, _LINE)})" if location else f" ({printable(line, _LINE)})" if line else ""
    return f"the server answered {status} {printable(reason, _LINE)}".rstrip() + more


def shown_url(url: str) -> str:
    """A URL without the credentials that may be in it."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def code_for(reason: BaseException) -> int:
    """The close code with which a session ends.

    Parameters:
        reason: why it ends.
    """
    if isinstance(reason, GoingAway):
        return RESTART
    return GOODBYE if type(reason) is SessionClosed else ABORTED


def closed_with(code: int) -> type[SessionClosed]:
    """What a session ends with that the peer closes with a code, and without an abort message."""
    return _BY_CODE.get(code, SessionClosed)


def refusal(shown: str, message: str, status: int, retry_after: str | None) -> SessionClosed:
    """What a client is told that has been answered with a status in place of a session.

    Parameters:
        shown: the server's URL, without credentials.
        message: the text of the error.
        status: the status.
        retry_after: the answer's header of that name, if it has one.
    """
    wait = None if retry_after is None else seconds_of(retry_after, time.time())
    refused: GoingAway | ConnectionRefused
    if status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None:
        refused = GoingAway.at(shown, message, status)
    else:
        refused = ConnectionRefused.at(shown, message, status)
    refused.retry_after = wait
    return refused


def seconds_of(retry_after: str, now: float) -> float | None:
    """How long a server wants to be left alone.

    Parameters:
        retry_after: value of a Retry-After header: seconds, or a date.
        now: seconds since the epoch.

    Returns:
        Seconds, none of them negative; None if the value is neither.
    """
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    date = _DATE.fullmatch(text)
    if date is None or date[2] not in _MONTHS:
        return None
    day, month, *rest = date.groups()
    year, hour, minute, second = map(int, rest)
    try:
        then = datetime(year, _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:  # there is no such day
        return None
    return max(0.0, then.timestamp() - now)
