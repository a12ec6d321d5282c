"""What every line of a log may carry of the call in which it is written. Rule: it stands in context variables, so that
nobody has to hand it on; what a peer says of it is taken only if it can do no harm in a line.

The variables are named as structlog names its own, so that its `merge_contextvars` finds them; `ContextFilter` puts
them into the records of `logging`.
"""

from __future__ import annotations

import itertools
import logging
import re
from contextvars import ContextVar
from typing import Any, Final
from uuid import uuid4

from capnweb_runtime.driving.interceptors import CallInfo, Proceed
from capnweb_runtime.observe import printable
from capnweb_runtime.serving.peer import Peer

__all__ = ["CALL_ID", "PEER", "REQUEST_ID", "SESSION_ID", "ContextFilter", "LogContext"]

CALL_ID: Final = ContextVar[str]("structlog_call_id")
"""Of the call that is being served: no other call of any process has it."""
SESSION_ID: Final = ContextVar[str]("structlog_session_id")
"""Of the session that it came in."""
REQUEST_ID: Final = ContextVar[str]("structlog_request_id")
"""Of what it is part of, which other programs may have begun. It goes with the calls that are made where it is set."""
PEER: Final = ContextVar[str]("structlog_peer")
"""Who has made the call: address, transport and path, or the URL of the server that calls back."""

_VARIABLES: Final = {"call_id": CALL_ID, "session_id": SESSION_ID, "request_id": REQUEST_ID, "peer": PEER}
_SANE: Final = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


class LogContext:
    """An interceptor that says, to whatever is logged while a call is served, which call that is; and passes the id of
    the request on with the calls that are made.

    A request id that came is kept: with the call, or in a header of the request that opened the session. Where none
    came, or one that no line of a log should have, the one around the session is kept, or else one is made.

    Parameters:
        header: the header's name.
        key: what it is called among the metadata of a call.
    """

    def __init__(self, *, header: str = "X-Request-ID", key: str = "request-id") -> None:
        self._header = header
        self._key = key
        self._numbers = itertools.count(1)

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        """See `Interceptor`."""
        if call.served:
            # Nothing has to be put back: the Context is the call's own.
            CALL_ID.set(f"{call.session}-{next(self._numbers)}")
            SESSION_ID.set(call.session)
            REQUEST_ID.set(self._request_of(call))
            PEER.set(_shown(call.peer))
        elif request := _text(REQUEST_ID):
            call.carry(self._key, request)
        return await proceed(call)

    def _request_of(self, call: CallInfo) -> str:
        given = [call.metadata.get(self._key, "")]
        if isinstance(call.peer, Peer):
            given.append(call.peer.headers.get(self._header, ""))
        given.append(_text(REQUEST_ID))
        return next((one for one in given if _SANE.fullmatch(one)), None) or uuid4().hex


class ContextFilter(logging.Filter):
    """Puts `call_id`, `session_id`, `request_id` and `peer` into each record; "-" where there is no call. For handlers,
    since filters of loggers do not see what other loggers pass on::

        handler.addFilter(ContextFilter())
        handler.setFormatter(logging.Formatter("%(levelname)s %(request_id)s %(call_id)s %(message)s"))
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        for name, variable in _VARIABLES.items():
            if not hasattr(record, name):
                setattr(record, name, _text(variable) or "-")
        return True


def _text(variable: ContextVar[str]) -> str:
    """What a variable holds; empty if that is nothing."""
    value: object = variable.get("")
    return value if isinstance(value, str) else ""  # structlog's clear_contextvars() puts an Ellipsis into each


def _shown(peer: object) -> str:
    """A peer without what only it should know: the query of a URL may have a token in it."""
    return str(peer) if isinstance(peer, Peer) else printable(str(peer).partition("?")[0])
