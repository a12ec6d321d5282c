"""Measures one workload: `python -m tests.bench.client --port P --wl W --dur S [--uvloop]` prints one JSON line.

Workloads: a add, one in flight · b64, b1000 add, that many in flight · c login and profile, pipelined, 64 in flight · d
echo of 100 models · e HTTP batch of 100 adds · f make, ping, dispose, 64 in flight · g a stream in chunks of 64 KiB
(MB/s).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from capnweb_runtime import connect
from tests.bench.generated.api import ApiStub
from tests.bench.schema.api import Item
from tests.bench.server import use_uvloop

WORKLOADS = ("a", "b64", "b1000", "c", "d", "e", "f", "g")
CHUNK = 64 * 1024


class Peer:
    """The calls that are measured, over one session."""

    def __init__(self, api: ApiStub, port: int, mib: int) -> None:
        self.api = api
        self.port = port
        self.mib = mib
        self.items = [
            Item(
                id=i,
                name=f"User Number {i}",
                email=f"user{i}@example.com",
                tags=["alpha", "beta"],
                score=i * 1.5 + 0.25,
            )
            for i in range(100)
        ]

    def add(self) -> Awaitable[Any]:
        return self.api.add(1, 2)

    def chain(self) -> Awaitable[Any]:
        return self.api.authenticate("token").get_profile(5)

    def echo(self) -> Awaitable[Any]:
        return self.api.echo(self.items)

    async def churn(self) -> None:
        capability = await self.api.make()
        await capability.ping()
        capability.dispose()

    async def batch(self) -> None:
        async with connect(f"http://127.0.0.1:{self.port}/rpc", ApiStub) as api:
            await asyncio.gather(*[api.add(i, 1) for i in range(100)])

    async def stream(self) -> None:
        total = self.mib << 20
        if await self.api.sink(chunks(total)) != total:
            raise RuntimeError("bytes were lost")


async def chunks(total: int) -> AsyncIterator[bytes]:
    """That many bytes, in chunks of 64 KiB."""
    data = b"\xab" * CHUNK
    for _ in range(total // CHUNK):
        yield data


async def rate(call: Callable[[], Awaitable[Any]], in_flight: int, seconds: float) -> float:
    """Calls per second, with that many in flight."""
    done, started = 0, time.perf_counter()
    end = started + seconds
    while time.perf_counter() < end:
        if in_flight == 1:
            await call()
        else:
            await asyncio.gather(*[call() for _ in range(in_flight)])
        done += in_flight
    return done / (time.perf_counter() - started)


async def measure(workload: str, port: int, seconds: float, mib: int) -> float:
    """The figure of a workload: calls, chains, cycles or megabytes per second."""
    async with connect(f"ws://127.0.0.1:{port}/rpc", ApiStub) as api:
        peer = Peer(api, port, mib)
        if workload == "g":
            started = time.perf_counter()
            await peer.stream()
            return (mib << 20) / (time.perf_counter() - started) / 1e6
        calls: dict[str, tuple[Callable[[], Awaitable[Any]], int, int]] = {
            "a": (peer.add, 1, 1),
            "b64": (peer.add, 64, 1),
            "b1000": (peer.add, 1000, 1),
            "c": (peer.chain, 64, 1),
            "d": (peer.echo, 1, 1),
            "e": (peer.batch, 1, 100),
            "f": (peer.churn, 64, 1),
        }
        call, in_flight, weight = calls[workload]
        await rate(call, in_flight, seconds / 4)  # warm-up
        return await rate(call, in_flight, seconds) * weight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--wl", choices=WORKLOADS, required=True)
    parser.add_argument("--dur", type=float, default=2.0)
    parser.add_argument("--mib", type=int, default=64)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    if options.uvloop:
        use_uvloop()
    figure = asyncio.run(measure(options.wl, options.port, options.dur, options.mib))
    print(json.dumps({"wl": options.wl, "rate": figure}))


if __name__ == "__main__":
    main()
