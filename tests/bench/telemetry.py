"""What telemetry costs: `python -m tests.bench.telemetry` prints the table that docs/operations.md has.

Rule: both ends in one process and without sockets, where the share of what is added is largest; what is compared takes
turns, and of each the fastest round counts, since what else the machine does only makes rounds longer.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from capnweb_runtime.driving.attending import Terms
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.interceptors import Interceptor
from capnweb_runtime.telemetry.logs import LogContext
from capnweb_runtime.telemetry.otel import Telemetry
from capnweb_runtime.telemetry.prometheus import Metrics
from capnweb_runtime.transports.memory import join
from tests.bench.generated.api import ApiStub
from tests.bench.server import Api

NOTHING: Final = "nothing"
CALLS: Final = 2_000
"""Calls of a round."""


async def passed_on(call: object, proceed: Callable[[object], object]) -> object:
    """An interceptor that does nothing."""
    return await proceed(call)  # type: ignore[misc]  # of any call


def interceptors() -> dict[str, Sequence[Interceptor]]:
    """What is measured, by name."""
    recorded = TracerProvider()
    recorded.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    return {
        NOTHING: (),
        "an interceptor that does nothing": (passed_on,),  # type: ignore[dict-item]  # of any call
        "`LogContext`": (LogContext(),),
        "`Metrics`": (Metrics(CollectorRegistry()),),
        "`Telemetry`, without an SDK": (Telemetry(),),
        "`Telemetry`, spans recorded": (Telemetry(tracer_provider=recorded),),
    }


async def seconds(added: Sequence[Interceptor], calls: int) -> float:
    """Processor time of a call that takes and gives numbers, both ends included."""
    terms = Terms(interceptors=added) if added else None
    client, server = Connection(terms=terms), Connection(Api(), terms=terms)
    client.session.carry_calls()
    server.session.carry_calls()
    join(client, server)
    api = client.main(ApiStub)
    for _ in range(100):
        await api.add(1, 2)
    gc.collect()
    gc.disable()
    begun = time.process_time()
    for _ in range(calls):
        await api.add(1, 2)
    taken = time.process_time() - begun
    gc.enable()
    api.dispose()
    await client.wait_closed()
    await server.wait_closed()
    return taken / calls


async def table(rounds: int, calls: int = CALLS) -> dict[str, float]:
    """Seconds of a call, by what is at both of its ends.

    Parameters:
        rounds: how often each is measured.
        calls: how many calls a round has.
    """
    best: dict[str, float] = {}
    measured = interceptors()
    for _ in range(rounds):
        for name, added in measured.items():
            taken = await seconds(added, calls)
            best[name] = min(taken, best.get(name, taken))
    return best


def main(arguments: list[str]) -> None:
    """Prints the table, for a document."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.telemetry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--calls", type=int, default=CALLS)
    options = parser.parse_args(arguments)
    best = asyncio.run(table(options.rounds, options.calls))
    print("| at both ends | µs | more |")
    print("|---|--:|--:|")
    for name, taken in best.items():
        more = "" if name == NOTHING else f"{(taken - best[NOTHING]) * 1e6:+.0f}"
        print(f"| {name} | {taken * 1e6:.0f} | {more} |")


if __name__ == "__main__":
    main(sys.argv[1:])
