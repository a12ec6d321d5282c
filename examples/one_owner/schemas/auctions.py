"""Auctions, found by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises


class TooLow(Exception):
    """Somebody else has bidden as much, or more."""

    highest: int

    def __init__(self, highest: int) -> None:
        super().__init__(f"the highest bid is {highest}")
        self.highest = highest


class Standing(BaseModel):
    """How an auction stands.

    Attributes:
        bids: how many were taken.
        highest: the highest of them.
        bidder: whose that is.
    """

    bids: int = 0
    highest: int = 0
    bidder: str = ""


class Auction(Protocol):
    """One auction."""

    @raises(TooLow)
    async def bid(self, bidder: str, amount: int) -> Standing: ...

    @idempotent
    async def standing(self) -> Standing: ...

    async def watch(self, on_bid: Callable[[Standing], None]) -> Standing:
        """Be told of every bid from here on, until the auction changes its owner."""
        ...


class House(Protocol):
    """What clients of any worker are served."""

    @idempotent
    async def auction(self, name: str) -> Auction: ...
