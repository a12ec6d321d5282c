"""An origin that counts what is loaded from it, and can be made to wait, to fail, and to change its mind."""

from __future__ import annotations

import asyncio
from collections import Counter

from examples.distributed_cache.generated.distributed_cache import OriginTarget


class Origin(OriginTarget):
    """Values that begin as "KEY, version 1".

    Attributes:
        versions: the version of each key.
        loads: how often each key was loaded.
        broken: keys that cannot be loaded.
        gate: loads wait until it is set.
    """

    def __init__(self) -> None:
        self.versions: Counter[str] = Counter()
        self.loads: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, key: str) -> str:
        self.loads[key] += 1
        value = f"{key}, version {1 + self.versions[key]}"
        await self.gate.wait()
        if key in self.broken:
            raise LookupError(f"the disk with {key} is gone")
        return "x" * 1_000_000 if key == "film" else value

    def write(self, key: str) -> None:
        """Changes the value of a key."""
        self.versions[key] += 1
