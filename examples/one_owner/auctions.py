"""An auction, as the worker that owns it has it. Rule: nothing is told to anybody before it is kept, and it is kept
under the owner's fence.
"""

from __future__ import annotations

import asyncio

from capnweb_runtime import CallbackStub
from capnweb_runtime.scale import Cluster, Ownership
from examples.one_owner.generated.auctions import AuctionStub, AuctionTarget, HouseTarget
from examples.one_owner.schemas.auctions import Standing, TooLow


class Auction(AuctionTarget):
    """The one object of its name in the whole cluster."""

    def __init__(self, owned: Ownership, standing: Standing) -> None:
        self._key = f"auction/{owned.name}"
        self._store = owned.store()
        self._standing = standing
        self._turn = asyncio.Lock()
        self._watchers: list[CallbackStub[[Standing], None]] = []

    @classmethod
    async def taken_over(cls, owned: Ownership) -> Auction:
        """Goes on where the owner before has left off, who can write nothing more from here on."""
        kept = await owned.store().load(f"auction/{owned.name}")
        return cls(owned, Standing() if kept is None else Standing.model_validate_json(kept))

    async def bid(self, bidder: str, amount: int) -> Standing:
        async with self._turn:
            if amount <= self._standing.highest:
                raise TooLow(self._standing.highest)
            standing = Standing(bids=self._standing.bids + 1, highest=amount, bidder=bidder)
            await self._store.save(self._key, standing.model_dump_json().encode())
            self._standing = standing
            for watcher in self._watchers:
                await watcher(standing)
            return standing

    def standing(self) -> Standing:
        return self._standing

    def watch(self, on_bid: CallbackStub[[Standing], None]) -> Standing:
        self._watchers.append(on_bid.dup())
        return self._standing

    def dispose(self) -> None:
        for watcher in self._watchers:
            watcher.dispose()


class House(HouseTarget):
    """Finds auctions, for the clients of one worker."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def auction(self, name: str) -> AuctionStub:
        return self._cluster.lasting(AuctionStub, name)
