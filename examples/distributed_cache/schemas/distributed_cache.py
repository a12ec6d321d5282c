"""A cache of several nodes, and the origin that they load from."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import cancellable, idempotent, raises


class LoadFailed(Exception):
    """The origin has not given a value."""

    key: str
    why: str

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key!r} could not be loaded: {why}")
        self.key = key
        self.why = why


class Origin(Protocol):
    """Where values come from; slow, and busy."""

    @idempotent
    async def load(self, key: str) -> str: ...


class Loads(Protocol):
    """Loads of some of the keys, for all nodes: one of them makes them, see `Cluster`."""

    @idempotent
    @raises(LoadFailed)
    async def load(self, key: str) -> str: ...

    @idempotent
    async def drop(self, key: str) -> None:
        """The value has changed: whoever asks from now on does not get what is being loaded."""
        ...


class Stats(BaseModel):
    """What a node has done and holds; also the tables of all its sessions."""

    hits: int
    misses: int
    joined: int
    """Misses that waited for a load which was under way."""
    loads: int
    shared: int
    """Loads of nodes that waited for one which this node had begun for all."""
    kept: int
    too_large: int
    snapshots: int
    imports: int
    exports: int


class Snapshot(Protocol):
    """A value as it was. It stays for as long as anybody holds it, whatever becomes of the copy in the cache."""

    @property
    def value(self) -> str: ...


class Node(Protocol):
    @idempotent
    @cancellable
    @raises(LoadFailed)
    async def get(self, key: Annotated[str, MinLen(1), MaxLen(100)]) -> str: ...

    @idempotent
    @raises(LoadFailed)
    async def snapshot(self, key: Annotated[str, MinLen(1), MaxLen(100)]) -> Snapshot: ...

    @idempotent
    async def invalidate(self, key: Annotated[str, MinLen(1), MaxLen(100)]) -> None:
        """Drops all copies: here before it returns, at the other nodes as soon as they hear of it."""
        ...

    @idempotent
    async def stats(self) -> Stats: ...
