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
"""Context variable: id of the call that is being served, which no other call of any process has."""
SESSION_ID: Final = ContextVar[str]("structlog_session_id")
"""Context variable: id of the session in which the call that is being served has come."""
REQUEST_ID: Final = ContextVar[str]("structlog_request_id")
"""Context variable: id of the request that the call is part of, which another program may have begun. It travels with
the calls that are made where it is set.
"""
PEER: Final = ContextVar[str]("structlog_peer")
"""Context variable: who has made the call that is being served: address, transport and path of the client, or the URL
of a server that calls back.
"""

_VARIABLES: Final = {"call_id": CALL_ID, "session_id": SESSION_ID, "request_id": REQUEST_ID, "peer": PEER}
_SANE: Final = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


class LogContext:
    """An interceptor for servers and clients by which every line that is logged while a call is served can name the
    call. It sets `CALL_ID`, `SESSION_ID`, `REQUEST_ID` and `PEER`. Add it to the interceptors, and a `ContextFilter` to
    the handlers of your log.

    The request id is the one that came with the call, else the one in a header of the request that opened the session,
    else the one that was set around the session, else a new one. An id that has more than 128 characters, or others
    than letters, digits and `_.:/+=@-`, is not used. The id goes with the calls that the method makes to other servers.

    Parameters:
        header: name of the header.
        key: name of the request id in the metadata of a call.
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
    """A filter of `logging` that gives each record the attributes `call_id`, `session_id`, `request_id` and `peer`, for
    formatters; each is "-" where no call is being served. Add it to handlers, since filters of loggers do not see the
    records of other loggers::

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
