"""The actor system: `python -m examples.actor_system.server --journals FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from capnweb_runtime import SessionClosed, serve
from examples.actor_system.generated.actor_system import AccountStub, AccountTarget, SystemTarget
from examples.actor_system.schemas.actor_system import Crashed, NoSuchActor, Place
from examples.actor_system.supervisor import Bound, Slot, Supervisor

T = TypeVar("T")

ACTORS = {"alice": True, "bob": True, "carl": False}
"""The actors, and whether each keeps a journal."""


class Ref(AccountTarget):
    """An actor, wherever it runs: what clients and other actors hold, and what stays when it is started again.

    Calls that come while it does not run wait, in their order.
    """

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._gate = asyncio.Lock()

    def deposit(self, message: str, cents: int) -> Awaitable[int]:
        return self._ask(lambda account: account.deposit(message, cents))

    async def transfer(self, message: str, to: AccountStub, cents: int) -> int:
        return await self._ask(lambda account: account.transfer(message, to, cents))

    def balance(self) -> Awaitable[int]:
        return self._ask(lambda account: account.balance())

    def processed(self) -> Awaitable[list[str]]:
        return self._ask(lambda account: account.processed())

    async def _ask(self, call: Callable[[AccountStub], Awaitable[T]]) -> T:
        async with self._gate:
            answer = call(await self._slot.current())
        try:
            return await answer
        except SessionClosed:
            raise Crashed("the worker ended before it had answered") from None


class System(SystemTarget):
    """What a client sees."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._refs = {name: Ref(slot) for name, slot in supervisor.actors.items()}

    def actor(self, name: str) -> Ref:
        if name not in self._refs:
            raise NoSuchActor(f"there is no actor {name}")
        return self._refs[name]

    def places(self) -> Awaitable[list[Place]]:
        return self._supervisor.places()


def placed(journals: Path, workers: int) -> dict[str, dict[str, Slot]]:
    """The actors, spread over workers by turns."""
    spread: dict[str, dict[str, Slot]] = {f"worker {number}": {} for number in range(workers)}
    for number, (actor, remembers) in enumerate(ACTORS.items()):
        spread[f"worker {number % workers}"][actor] = Slot(journals / f"{actor}.sqlite" if remembers else None)
    return spread


async def main(told: argparse.Namespace) -> int:
    """Run the system until a signal, or until it gives up. Returns the exit code."""
    supervisor = Supervisor(placed(told.journals, told.workers), told.strategy, Bound(told.restarts, told.within))
    supervising = asyncio.create_task(supervisor.run())
    system = System(supervisor)
    async with serve(lambda peer: system, "127.0.0.1", told.port) as server:
        print("serving", server.url, flush=True)
        running = asyncio.create_task(server.run())
        await asyncio.wait([supervising, running], return_when=asyncio.FIRST_COMPLETED)
    supervising.cancel()
    await asyncio.wait([supervising])
    if supervising.cancelled():
        return 0
    print("given up:", supervising.exception(), flush=True)
    return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.actor_system.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--journals", type=Path, required=True, help="folder of what actors remember")
    parser.add_argument("--workers", type=int, default=2, help="how many processes (default: %(default)s)")
    parser.add_argument("--strategy", choices=["one-for-one", "one-for-all"], default="one-for-one")
    parser.add_argument("--restarts", type=int, default=3, help="how many there may be (default: %(default)s)")
    parser.add_argument("--within", type=float, default=5.0, help="in how many seconds (default: %(default)s)")
    sys.exit(asyncio.run(main(parser.parse_args())))
