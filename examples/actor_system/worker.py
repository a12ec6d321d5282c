"""A worker: `python -m examples.actor_system.worker`. It ends when the session of its supervisor does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from capnweb_runtime import serve
from examples.actor_system.generated.actor_system import AccountStub, AccountTarget, WorkerTarget
from examples.actor_system.journal import FileJournal, Journal, NoJournal
from examples.actor_system.mailbox import Mailbox


class Account(AccountTarget):
    """An actor: nobody but its messages, one at a time, touches what it keeps."""

    def __init__(self, journal: Journal, mailbox: Mailbox) -> None:
        self._journal = journal
        self._mailbox = mailbox
        self._changes = dict(journal.read())  # in the order in which they were processed

    async def deposit(self, message: str, cents: int) -> int:
        async with self._mailbox.turn():
            return await self._change(message, cents)

    async def transfer(self, message: str, to: AccountStub, cents: int) -> int:
        async with self._mailbox.turn():
            left = await self._change(message, -cents)
        # Outside of the turn: if the other gives something to this one at the same time, neither waits for the other.
        await to.deposit(message, cents)
        return left

    async def balance(self) -> int:
        async with self._mailbox.turn():
            return self._total()

    async def processed(self) -> list[str]:
        async with self._mailbox.turn():
            return list(self._changes)

    async def _change(self, message: str, cents: int) -> int:
        if message not in self._changes:  # else it has been processed, and is sent again
            await self._journal.write(message, cents)
            self._changes[message] = cents
        return self._total()

    def _total(self) -> int:
        return sum(self._changes.values())


class Worker(WorkerTarget):
    """Starts actors in this process.

    Parameters:
        orphaned: is set when the supervisor is gone.
    """

    def __init__(self, orphaned: asyncio.Event) -> None:
        self._orphaned = orphaned

    def start(self, actor: str, journal: str | None) -> Account:
        kept = NoJournal() if journal is None else FileJournal(Path(journal))
        return Account(kept, Mailbox())

    def dispose(self) -> None:
        self._orphaned.set()


async def main() -> None:
    """Be a worker of the first who connects."""
    orphaned = asyncio.Event()
    async with serve(lambda peer: Worker(orphaned), "127.0.0.1", 0) as server:
        print("serving", server.url, flush=True)
        await orphaned.wait()


if __name__ == "__main__":
    asyncio.run(main())
