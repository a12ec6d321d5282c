"""What being watched costs: `python -m tests.bench.debugging` prints the table that docs/debugging.md has.

Rule: both ends in one process and without sockets, where the share of what is watched is largest; the modes take turns,
and of each the fastest round counts, since what else the machine does only makes rounds longer.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final

from capnweb_runtime import Sampling
from capnweb_runtime.debugging.settings import Debug
from capnweb_runtime.transports import memory
from tests.bench.generated.api import ApiStub
from tests.bench.server import Api

OFF: Final = "debug=False"
MODES: Final[dict[str, Debug]] = {
    OFF: False,
    "Sampling(every=1000)": Sampling(every=1000),
    "Sampling(every=1)": Sampling(every=1),
    "debug=True": True,
}
CALLS: Final = 2_000
"""Operations of a round."""
Operation = Callable[[ApiStub], Awaitable[object]]


async def add(api: ApiStub) -> object:
    """A call that takes and gives numbers."""
    return await api.add(1, 2)


async def make(api: ApiStub) -> object:
    """A call that gives an object, which is given back."""
    made = await api.make()
    made.dispose()
    return made


OPERATIONS: Final[dict[str, Operation]] = {"call": add, "object made and given back": make}


async def seconds(operation: Operation, debug: Debug, calls: int) -> float:
    """Processor time of one operation, both ends included."""
    client, server = memory.pair(None, Api(), debug=debug)
    api = client.main(ApiStub)
    for _ in range(100):
        await operation(api)
    gc.collect()
    gc.disable()
    begun = time.process_time()
    for _ in range(calls):
        await operation(api)
    taken = time.process_time() - begun
    gc.enable()
    api.dispose()
    await client.wait_closed()
    await server.wait_closed()
    return taken / calls


async def table(rounds: int, calls: int = CALLS) -> list[tuple[str, str, float, float]]:
    """What each operation takes in each mode.

    Parameters:
        rounds: how often each is measured.
        calls: how many operations a round has.

    Returns:
        The operation, the mode, seconds of one operation, and by how much that is more than without being watched.
    """
    best: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        for what, operation in OPERATIONS.items():
            for mode, debug in MODES.items():
                taken = await seconds(operation, debug, calls)
                best[what, mode] = min(taken, best.get((what, mode), taken))
    return [(what, mode, taken, taken / best[what, OFF] - 1) for (what, mode), taken in best.items()]


def main(arguments: list[str]) -> None:
    """Prints the table, for a document."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.debugging", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=CALLS)
    options = parser.parse_args(arguments)
    logger = logging.getLogger("capnweb_runtime.debug")
    logger.addHandler(nowhere := logging.NullHandler())
    logger.propagate = False
    try:
        rows = asyncio.run(table(options.rounds, options.calls))
    finally:
        logger.propagate = True
        logger.removeHandler(nowhere)
    print("| operation | watched | µs | more |")
    print("|---|---|---|---|")
    for what, mode, taken, more in rows:
        print(f"| {what} | `{mode}` | {taken * 1e6:.1f} | {'' if mode == OFF else f'{more:+.1%}'} |")


if __name__ == "__main__":
    main(sys.argv[1:])
