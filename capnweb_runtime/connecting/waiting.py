"""Calls that wait for a session. Rule: bounded in number, bytes and time; of what is refused or given up it is said
whether it may have arrived, and what was said not to have been sent is never sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from capnweb_runtime.connecting.recipes import Ask
from capnweb_runtime.connecting.reconnect import Reconnect
from capnweb_runtime.errors import Disconnected


class Waiting:
    """The calls of one client that wait.

    Parameters:
        policy: the bounds, and the clock.
        give_up: fails a call that has waited too long.
    """

    def __init__(self, policy: Reconnect, give_up: Callable[[Ask, str], None]) -> None:
        self._policy = policy
        self._give_up = give_up
        self._asks: dict[Ask, None] = {}
        self._bytes = 0
        self._timer: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._asks)

    def refusal(self, ask: Ask) -> str | None:
        """Why a new call cannot wait, if it cannot."""
        policy = self._policy
        if len(self._asks) >= policy.wait_calls:
            return f"{len(self._asks)} calls wait for a connection, the most that Reconnect.wait_calls allows"
        if self._bytes + ask.operation.size > policy.wait_bytes:
            return (
                f"{self._bytes} bytes of calls wait for a connection, and Reconnect.wait_bytes allows "
                f"{policy.wait_bytes}"
            )
        return None

    def add(self, ask: Ask, *, anew: bool = True) -> None:
        """Lets a call wait.

        Parameters:
            ask: the call.
            anew: whether the time that it may wait begins now, also if it has waited before.
        """
        ask.queued = True
        if anew or ask.since is None:
            ask.since = self._policy.clock()
        self._asks[ask] = None
        self._bytes += ask.operation.size
        if self._timer is None and self._policy.wait_time is not None:
            self._timer = asyncio.get_running_loop().create_task(self._expire(self._policy.wait_time))

    def remove(self, ask: Ask) -> None:
        """Nobody wants a call any more. It stays where it can be made if others are made of it."""
        if ask in self._asks:
            del self._asks[ask]
            self._bytes -= ask.operation.size

    def take(self) -> list[Ask]:
        """The calls, in the order in which they were made; none waits any more."""
        asks = sorted(self._asks, key=lambda ask: ask.sequence)
        self._asks.clear()
        self._bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return asks

    async def _expire(self, patience: float) -> None:
        while self._asks:
            first = min(ask.since or 0.0 for ask in self._asks)
            left = first + patience - self._policy.clock()
            if left > 0:
                await self._policy.sleep(left)
                continue
            for ask in [ask for ask in self._asks if (ask.since or 0.0) <= first]:
                del self._asks[ask]
                self._bytes -= ask.operation.size
                self._give_up(ask, f"there was no connection for {patience:g} s, as long as Reconnect.wait_time allows")
        self._timer = None


def disconnected(why: str, ask: Ask, cause: BaseException | None) -> Disconnected:
    """The error for a call that has no answer and is not made again.

    Parameters:
        why: what became of the connection.
        ask: the call.
        cause: what the connection ended with, or could not be made for.
    """
    fate = (
        "the call may have been carried out: it had been sent, and is not declared @idempotent, or cannot be repeated"
        if ask.sent
        else "the call has not been sent, and has not run"
    )
    error = Disconnected(f"{why}; {fate}", ask.sent)
    error.__cause__ = cause
    error.url = getattr(cause, "url", None)
    error.status = getattr(cause, "status", None)
    return error
