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
    """What knows which tokens were revoked. Both methods may raise: then nothing is restored."""

    async def revoke(self, id: str, expires: int) -> None:
        """Notes a token as revoked; once is enough.

        Parameters:
            id: of the token, as `Claims.id`, and as the log names it.
            expires: when it would have expired, in seconds since 1970; then this may be forgotten.
        """

    async def is_revoked(self, id: str) -> bool:
        """Whether a token that has not expired was revoked."""
        ...


class MemoryRevocations:
    """Revocations of this process, which end with it: for tests, and where tokens are short-lived.

    Parameters:
        most: how many are kept. More are refused rather than forgotten.
        clock: gives seconds since 1970.
    """

    def __init__(self, most: int = 100_000, *, clock: Callable[[], float] = time.time) -> None:
        self._most = most
        self._clock = clock
        self._ids: set[str] = set()
        self._by_expiry: list[tuple[int, str]] = []  # a heap of the same

    async def revoke(self, id: str, expires: int) -> None:
        """Notes a token as revoked. Raises RuntimeError if too many are kept already."""
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
        """Whether a token was revoked."""
        return id in self._ids
