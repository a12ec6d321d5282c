"""One session of a pool. Rule: what a check finds ends a session, and no more: another takes its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from capnweb_runtime.connecting.reconnect import Reconnect
from capnweb_runtime.connecting.succession import Succession
from capnweb_runtime.errors import SessionClosed


class Member:
    """A session of the pool, and those that take its place when it is lost.

    Attributes:
        sessions: them.
        born: when the pool began it.
        leased: whether somebody has it for himself.
        replaced: how often a check has failed.
    """

    def __init__(self, sessions: Succession, policy: Reconnect) -> None:
        self.sessions = sessions
        self.born = policy.clock()
        self.leased = False
        self.replaced = 0
        self._policy = policy
        self._checking: asyncio.Task[None] | None = None

    @property
    def load(self) -> tuple[bool, bool, int]:
        """What sessions are compared by: the least goes first."""
        return self.leased, self.sessions.state != "ready", self.sessions.load

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it is in use: no call, no capability."""
        session = self.sessions.session
        held = 0 if session is None else session.stats().imports - 1
        return not self.leased and self.sessions.calls == self.sessions.capabilities == held == 0

    def begin_check(self, check: Callable[[Member], Coroutine[Any, Any, object]], patience: float) -> None:
        """Checks the session, unless that is being done or there is none.

        Parameters:
            check: fails if the session had better be replaced.
            patience: seconds that it may take.
        """
        if self.sessions.state == "ready" and self._checking is None:
            self._checking = asyncio.get_running_loop().create_task(self._look(check, patience))

    async def _look(self, check: Callable[[Member], Coroutine[Any, Any, object]], patience: float) -> None:
        session = self.sessions.session
        try:
            error = await within(patience, check(self), self._policy.sleep)
            if error is not None and session is not None and self.sessions.session is session:
                self.replaced += 1
                why = SessionClosed(f"the check of a session failed: {error}")
                why.__cause__ = error
                self.sessions.renew(why)
        finally:
            self._checking = None

    async def close(self) -> None:
        """Ends the session, and waits until its connection is closed."""
        if self._checking is not None:
            self._checking.cancel()
        self.sessions.shut_down()
        await self.sessions.wait_closed()


async def within(
    seconds: float, work: Coroutine[Any, Any, object], sleep: Callable[[float], Awaitable[object]]
) -> BaseException | None:
    """Does something for so many seconds at most. Returns what it failed with; a TimeoutError if it took longer."""

    async def wait() -> None:
        await sleep(seconds)

    working, patience = asyncio.ensure_future(work), asyncio.ensure_future(wait())
    try:
        await asyncio.wait((working, patience), return_when=asyncio.FIRST_COMPLETED)
    finally:
        patience.cancel()
        if not working.done():
            working.cancel()
    if not working.done():
        return TimeoutError(f"it took longer than {seconds:g} s")
    return working.exception()
