"""Values that only the owner writes. Rule: a value remembers the greatest fence that it has seen, and refuses smaller
ones; who takes over says so by reading; what one owner writes is written in the order in which it said so.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Final

from capnweb_runtime.errors import LeaseLost
from capnweb_runtime.scale.contract import Backplane

_HEAD: Final = struct.Struct(">QB")
"""The fence, and whether there is a value behind it."""


class _Key:
    """What is known of a value.

    Attributes:
        turn: of those who use it; first come, first served.
        revision: that which this owner has given it last; None if it has not, or does not know.
    """

    __slots__ = ("revision", "turn")

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.revision: int | None = None


class FencedStore:
    """Values on a backplane that only the owner of an object can write, for state that is small. `Ownership.store`
    gives one.

    Parameters:
        backplane: the backplane that keeps the values.
        fence: number of the owner's lease.
    """

    def __init__(self, backplane: Backplane, fence: int) -> None:
        self._backplane = backplane
        self._keys: dict[str, _Key] = {}
        self.fence = fence

    async def load(self, key: str) -> bytes | None:
        """Reads a value, and takes it over: from now on no earlier owner can write it.

        Parameters:
            key: name of the value on the backplane.

        Returns:
            The value; None if there is none.

        Raises:
            LeaseLost: a later owner has taken the value over.
            BackplaneUnavailable: the engine did not answer.
            ValueError: something else has written the value.
        """
        known = self._known(key)
        async with known.turn:
            while True:
                revision, fence, data = await self._read(key)
                if fence == self.fence or await self._write(key, data, revision, known):
                    return data

    async def save(self, key: str, data: bytes | None) -> None:
        """Writes a value. Values of one name are written in the order of the calls.

        Parameters:
            key: name of the value on the backplane.
            data: the value, of at most nine bytes less than `Bounds.event_bytes`; None for no value.

        Raises:
            LeaseLost: a later owner has taken the value over; it is unchanged.
            BackplaneUnavailable: the engine did not answer, and may have written the value.
            ValueError: something else has written the value, or it is too long.
        """
        known = self._known(key)
        async with known.turn:
            revision = known.revision
            while True:
                if revision is None:
                    revision, _, _ = await self._read(key)
                if await self._write(key, data, revision, known):
                    return
                revision = None  # a later owner has changed it, or a write of ours of which that was not known

    def _known(self, key: str) -> _Key:
        return self._keys.setdefault(key, _Key())

    async def _read(self, key: str) -> tuple[int, int, bytes | None]:
        """Revision, fence and value."""
        found = await self._backplane.get(key)
        if found is None:
            return 0, 0, None
        if len(found.data) < _HEAD.size:
            raise ValueError(f"the value {key!r} was not written by a FencedStore: use another name")
        fence, is_there = _HEAD.unpack_from(found.data)
        if fence > self.fence:
            raise LeaseLost(
                f"{key!r} belongs to a later owner, with fence {fence}, and this one has {self.fence}: it was stopped "
                "or cut off for longer than its lease; what it knows is out of date"
            )
        return found.revision, fence, found.data[_HEAD.size :] if is_there else None

    async def _write(self, key: str, data: bytes | None, revision: int, known: _Key) -> bool:
        known.revision = None
        value = _HEAD.pack(self.fence, data is not None) + (data or b"")
        known.revision = await self._backplane.put(key, value, expect=revision)
        return known.revision is not None
