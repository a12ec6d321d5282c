"""What a client does with the database: `python -m examples.database_proxy.client ws://127.0.0.1:8080/`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from examples.database_proxy.generated.database_proxy import DatabaseStub, TransactionPromise, TransactionStub
from examples.database_proxy.schemas.database_proxy import Row

TAKE = "UPDATE example_accounts SET cents = cents - $1 WHERE owner = $2"
GIVE = "UPDATE example_accounts SET cents = cents + $1 WHERE owner = $2"
BALANCES = "SELECT owner, cents FROM example_accounts ORDER BY owner"


async def transfer(database: DatabaseStub, cents: int, giver: str, taker: str) -> None:
    """Move money, in one round trip. Nothing is awaited before the commit, which fails if a statement has failed."""
    async with database.transaction() as transaction:  # a promise: it has not begun yet
        await pay(transaction, cents, giver, taker)


async def pay(transaction: TransactionPromise | TransactionStub, cents: int, giver: str, taker: str) -> None:
    """The statements of a transfer. What a statement fails with is raised, rather than what the commit says of it."""
    taken = transaction.execute(TAKE, cents, giver)
    given = transaction.execute(GIVE, cents, taker)
    done = transaction.commit()
    await asyncio.gather(taken, given, done)


async def balances(database: DatabaseStub) -> list[Row]:
    """All accounts, by owner."""
    return [row async for rows in database.query(BALANCES) for row in rows]


async def main(url: str) -> None:
    """Move money, and print what everybody has."""
    async with connect(url, DatabaseStub) as database:
        await transfer(database, 100, "Ada", "Grace")
        for owner, cents in await balances(database):
            print(owner, cents)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
