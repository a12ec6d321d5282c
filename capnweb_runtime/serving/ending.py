"""How the sessions of a server end when it goes away. Rule: each is told, and nobody is waited for without end.

In parts, since what carries the sessions ends in between: see `Server.close`, and `Mount.aclose`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import GoingAway
from capnweb_runtime.serving.admission import Admission
from capnweb_runtime.serving.peer import SHUTDOWN, logger


class Ending:
    """The end of those that have been admitted.

    Parameters:
        admission: has admitted them.
        patience: seconds that async disposers may take.

    Attributes:
        patience: the same.
    """

    def __init__(self, admission: Admission, patience: float) -> None:
        self._admission = admission
        self.patience = patience

    async def drain(self, timeout: float | None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Lets nobody in, and ends each session when its calls have ended.

        Parameters:
            timeout: seconds to wait for the calls; None means until they end.
        """
        self._admission.refusing = True
        try:
            async with asyncio.timeout(timeout):
                await self._admission.end_openings()
                await self._calls_to_end()
        except TimeoutError:
            calls = len(self._admission.calls)
            logger.warning("closing with %d calls in progress after waiting %s s for them", calls, timeout)

    def end_sessions(self) -> None:
        """Ends every session at once."""
        for connection in tuple(self._admission.connections):
            connection.abort(GoingAway(SHUTDOWN), notify=False)
            connection.flush()

    async def cancel_calls(self) -> None:
        """Cancels the calls in progress, except for one that is closing the server, and waits for their end."""
        own = {asyncio.current_task()}
        cancelled: set[asyncio.Future[Any]] = set()
        while calls := self._admission.calls - own:
            for call in calls - cancelled:
                call.cancel()
            cancelled |= calls
            await asyncio.wait(calls)

    async def disposers_to_end(self) -> None:
        """Waits for async disposers of targets; those that take too long are cancelled."""
        try:
            async with asyncio.timeout(self.patience):
                while busy := [one for one in self._admission.connections if one.host.disposing]:
                    await busy[0].wait_closed()
        except TimeoutError:
            logger.warning("giving up disposers that took longer than %s s", self.patience)
            self.cancel_disposers()

    def cancel_disposers(self) -> None:
        """Waits for them no longer."""
        for connection in self._admission.connections:
            connection.host.cancel_disposers()

    async def _calls_to_end(self) -> None:
        """Ends every session once it has no calls in progress; a batch ends by itself."""
        batches = frozenset(self._admission.batches)
        busy = []
        for connection in self._admission.connections - batches:
            if connection.is_idle:
                connection.abort(GoingAway(SHUTDOWN), notify=False)
            else:
                busy.append(self._end_when_idle(connection))
        await asyncio.gather(*busy, *(batch.wait_closed() for batch in batches))
        while calls := self._admission.calls:
            await asyncio.wait(calls)

    async def _end_when_idle(self, connection: Connection) -> None:
        await connection.idle()
        connection.abort(GoingAway(SHUTDOWN), notify=False)
