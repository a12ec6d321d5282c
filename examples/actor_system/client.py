"""What a client of the actors does: `python -m examples.actor_system.client URL ACTOR MESSAGE CENTS`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from capnweb_runtime import connect
from examples.actor_system.generated.actor_system import AccountStub, SystemStub
from examples.actor_system.schemas.actor_system import Crashed


async def deposit_all(account: AccountStub, messages: Iterable[str], cents: int) -> list[str]:
    """Send many messages at once, without waiting for an answer between them.

    Returns:
        The ids of those that were not answered, as the actor crashed.
    """
    sent = [(message, account.deposit(message, cents)) for message in messages]
    crashed: list[str] = []
    for message, promise in sent:
        try:
            await promise
        except Crashed:
            crashed.append(message)
    return crashed


async def main(url: str, actor: str, message: str, cents: int) -> None:
    """Deposit something, and again if the actor crashes meanwhile."""
    async with connect(url, SystemStub) as system, await system.actor(actor) as account:
        while await deposit_all(account, [message], cents):
            print("crashed, sending it again")
        print(await account.balance())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
