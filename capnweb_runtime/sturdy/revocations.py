"""Which tokens were taken back before they expired. Rule: what is kept is the id of a token and when it expires, never
the token; and none is kept for longer than the token itself could be used.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import Final, Protocol

GRACE: Final = 3600
"""Seconds for which a revocation is kept beyond the expiry of its token: the clock of another server may be slow."""


class Revocations(Protocol):
    """Protocol of what keeps which tokens were revoked, for implementations of your own. If a method raises, nothing is
    restored.
    """

    async def revoke(self, id: str, expires: int) -> None:
        """Notes a token as revoked. Doing so twice changes nothing.

        Parameters:
            id: id of the token: `Claims.id`, which the log has, too.
            expires: when the token expires, in seconds since 1970; an hour later this may be forgotten.
        """

    async def is_revoked(self, id: str) -> bool:
        """Tells whether a token that has not expired was revoked.

        Parameters:
            id: id of the token.
        """
        ...


class MemoryRevocations:
    """Keeps revocations in this process, and loses them when it ends: for tests, and for references of a short
    lifetime.

    Parameters:
        most: how many revocations are kept. Further ones are refused, so that none is forgotten.
        clock: function that gives seconds since 1970.
    """

    def __init__(self, most: int = 100_000, *, clock: Callable[[], float] = time.time) -> None:
        self._most = most
        self._clock = clock
        self._ids: set[str] = set()
        self._by_expiry: list[tuple[int, str]] = []  # a heap of the same

    async def revoke(self, id: str, expires: int) -> None:
        """Notes a token as revoked; see `Revocations.revoke`.

        Raises:
            RuntimeError: `most` revocations are kept already.
        """
        before = self._clock() - GRACE
        while self._by_expiry and self._by_expiry[0][0] < before:
            self._ids.discard(heapq.heappop(self._by_expiry)[1])
        if id in self._ids:
            return
        if len(self._ids) >= self._most:
            raise RuntimeError(f"{self._most} tokens are revoked already; keep them in SqliteRevocations")
        self._ids.add(id)
        heapq.heappush(self._by_expiry, (expires, id))

    async def is_revoked(self, id: str) -> bool:
        """Tells whether a token was revoked; see `Revocations.is_revoked`."""
        return id in self._ids
