"""A client of any worker: `python -m examples.one_owner.client URL AUCTION BIDDER AMOUNT`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from examples.one_owner.generated.auctions import AuctionStub, HouseStub
from examples.one_owner.schemas.auctions import Standing, TooLow


async def outbid(auction: AuctionStub, bidder: str, times: int) -> int:
    """Bid one more than the highest, until so many bids were taken. Returns how many were too low."""
    refused = 0
    amount = (await auction.standing()).highest + 1
    while times:
        try:
            amount = (await auction.bid(bidder, amount)).highest + 1
            times -= 1
        except TooLow as error:
            amount = error.highest + 1
            refused += 1
    return refused


async def main(url: str, name: str, bidder: str, amount: int) -> Standing:
    """Bid, in one round trip."""
    async with connect(url, HouseStub) as house, house.auction(name) as auction:
        return await auction.bid(bidder, amount)


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))
