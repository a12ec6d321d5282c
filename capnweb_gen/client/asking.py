"""Asking a server for what was planned. Rule: all of a plan leaves in one go, so that it takes one round trip; what one
call gives goes into the next as the promise of it.
"""

from __future__ import annotations

import logging
import ssl as ssl_module
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from capnweb_gen.client.plan import Arguments, Plan
from capnweb_runtime.blocking.background import Background, background
from capnweb_runtime.connecting.connect import Connecting, connect
from capnweb_runtime.connecting.reflected import ir_at
from capnweb_runtime.driving.connection import wire_logger
from capnweb_runtime.errors import CapnwebError, SessionClosed
from capnweb_runtime.objects.any_stub import AnyPromise, AnyStub
from capnweb_runtime.transports.ends import shown_url

__all__ = ["Background", "CapnwebError", "Server", "SessionClosed", "ask", "background", "frames"]

OPENING = 30.0
"""Seconds to wait for a connection."""


@dataclass(frozen=True)
class Server:
    """Where a server is, and how it is spoken to.

    Attributes:
        url: as `connect` takes it.
        headers: of every request.
        ssl: settings of TLS; None means the system's defaults.
        webtransport: whether an https:// URL means a session over WebTransport.
        timeout: seconds that a call may take; None means without end.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    ssl: ssl_module.SSLContext | None = None
    webtransport: bool = False
    timeout: float | None = None

    @property
    def is_batch(self) -> bool:
        """Whether there are no sessions, but a request for each question."""
        return not self.webtransport and self.url.partition("://")[0].partition("+")[0].lower() in {"http", "https"}

    def connect(self) -> Connecting[AnyStub]:
        """A session that is about to start. Raises ValueError if the URL is none."""
        return connect(
            self.url,
            AnyStub,
            headers=self.headers,
            ssl=self.ssl,
            open_timeout=OPENING,
            transport="webtransport" if self.webtransport else None,
            call_timeout=self.timeout,
        )

    async def describes_itself(self) -> object:
        """What the server says that it serves; see `docs/ir.md`. Raises SessionClosed if it does not say."""
        return await ir_at(self.url, headers=self.headers, ssl=self.ssl, open_timeout=OPENING)


@contextmanager
def frames(server: Server, write: Callable[[str], None]) -> Generator[None]:
    """While this lasts, every message of a session that begins is written out in one line, as the log has it.

    Args:
        server: whose.
        write: is given each.
    """
    shown, level, propagates = _Frames(shown_url(server.url), write), wire_logger.level, wire_logger.propagate
    wire_logger.addHandler(shown)
    wire_logger.setLevel(logging.DEBUG)
    wire_logger.propagate = False
    try:
        yield
    finally:
        wire_logger.removeHandler(shown)
        wire_logger.setLevel(level)
        wire_logger.propagate = propagates


class _Frames(logging.Handler):
    """Writes the lines of a log without what they all begin with."""

    def __init__(self, label: str, write: Callable[[str], None]) -> None:
        super().__init__()
        self._label = label
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(record.getMessage().removeprefix(f"{self._label} "))


def ask(main: AnyStub, plan: Plan, variables: Mapping[str, AnyPromise]) -> AnyPromise:
    """Asks for what was planned.

    Args:
        main: the server's main object.
        plan: what is asked for.
        variables: promises of earlier results.

    Returns:
        The promise of the result.
    """
    asked: AnyStub | AnyPromise = variables[plan.root] if plan.root else main
    for step in plan.steps:
        if isinstance(step, Arguments):
            asked = asked(*(_given(value, main, variables) for value in step.values))
        else:
            asked = asked.get((step,))
    return cast("AnyPromise", asked)  # a plan that begins with the main object has a step


def _given(value: object, main: AnyStub, variables: Mapping[str, AnyPromise]) -> object:
    """An argument, in which promises stand for what has to be asked for."""
    if isinstance(value, Plan):
        return ask(main, value, variables)
    if isinstance(value, list):
        return [_given(item, main, variables) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _given(item, main, variables) for key, item in cast("dict[str, object]", value).items()}
    return value
