"""Measures how one thing grows, with this project: `python -m tests.bench.growth_client WHAT --port P` prints one JSON
line. The twin of growth_client.mjs.

`exports`: cost of a call with so many live capabilities · `capabilities`, `sessions`: memory of so many ·
`connections`: so many clients at once, each with one call in flight · `busy`: small calls beside a stream · `payload`:
echoes of so many bytes · `pipeline`: chains of so many calls.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from capnweb_runtime import connect
from tests.bench.client import OurCaller, chunks
from tests.bench.driver import percentiles, repeat, resident
from tests.bench.generated.api import ApiStub, CapabilityStub
from tests.bench.server import RAISED

Points = list[dict[str, float]]
AT_ONCE = 1000  # capabilities made by one call
OPENING = 50  # connections opened at a time
TRIES = 5  # of a pipeline; the median counts


async def exports(caller: OurCaller, options: argparse.Namespace) -> Points:
    """Microseconds for each of 64 calls in flight, on capabilities chosen evenly among those held."""
    held: list[CapabilityStub] = []
    points: Points = []
    for size in options.sizes:
        await hold(caller.api, held, size)
        asked = [held[i * size // 64] for i in range(64)]

        async def pings(asked: list[CapabilityStub] = asked) -> None:
            await asyncio.gather(*[capability.ping() for capability in asked])

        await repeat(pings, options.dur)
        points.append({"size": size, "us": percentiles(await repeat(pings, options.dur))["p50_us"] / 64})
    return points


async def hold(api: ApiStub, held: list[CapabilityStub], size: int) -> None:
    """Gets capabilities until so many are held."""
    while len(held) < size:
        held += await api.make_many(min(AT_ONCE, size - len(held)))


async def capabilities(caller: OurCaller, options: argparse.Namespace) -> Points:
    """KB of memory for each capability that is held, at the client and at the server."""
    held: list[CapabilityStub] = []
    await hold(caller.api, held, AT_ONCE)
    before = await memory(caller)
    await hold(caller.api, held, AT_ONCE + options.sizes[0])
    return [per_unit(before, await memory(caller), options.sizes[0])]


async def sessions(caller: OurCaller, options: argparse.Namespace) -> Points:
    """KB of memory for each session that has made one call and is idle, at the client and at the server."""
    apis = await opened(options.port, OPENING)
    before = await memory(caller)
    apis += await opened(options.port, options.sizes[0])
    return [per_unit(before, await memory(caller), options.sizes[0])]


async def opened(port: int, count: int) -> list[ApiStub]:
    """So many sessions, each of which has made a call."""
    apis: list[ApiStub] = []
    while len(apis) < count:
        some = min(OPENING, count - len(apis))
        apis += await asyncio.gather(*[_open(port) for _ in range(some)])
    return apis


async def _open(port: int) -> ApiStub:
    api = await connect(f"ws://127.0.0.1:{port}/rpc", ApiStub)
    await api.add(1, 2)
    return api


async def memory(caller: OurCaller) -> tuple[float, float]:
    """MB in use at the client and at the server, without garbage."""
    gc.collect()
    usage = await caller.api.usage()
    return resident(os.getpid()), usage.rss


def per_unit(before: tuple[float, float], after: tuple[float, float], count: int) -> dict[str, float]:
    """KB for each of so many things that came between."""
    client, server = ((late - early) * 1e3 / count for early, late in zip(before, after, strict=True))
    return {"size": count, "client_kb": client, "server_kb": server}


async def connections(caller: OurCaller, options: argparse.Namespace) -> Points:
    """Calls per second of all together, and how long one takes."""
    apis = await opened(options.port, options.sizes[0])
    for seconds in (options.dur / 4, options.dur):
        began = time.perf_counter()
        took = await asyncio.gather(*[repeat(_add(api), seconds) for api in apis])
        elapsed = time.perf_counter() - began
    all_took = [one for each in took for one in each]
    return [{"size": options.sizes[0], "rate": len(all_took) / elapsed, **percentiles(all_took)}]


def _add(api: ApiStub) -> Callable[[], Awaitable[Any]]:
    async def add() -> None:
        await api.add(1, 2)

    return add


async def busy(caller: OurCaller, options: argparse.Namespace) -> Points:
    """How long a call takes, one in flight: alone, then while a stream of so many MiB runs on the same session."""
    await repeat(caller.add_once, options.dur / 4)
    alone = percentiles(await repeat(caller.add_once, options.dur))
    total = options.sizes[0] << 20
    began = time.perf_counter()
    stream = asyncio.ensure_future(_sunk(caller.api, total))
    took: list[float] = []
    while not stream.done():
        took += await repeat(caller.add_once, 0)
    megabytes = await stream / 1e6
    return [
        {"size": 0, **alone},
        {"size": options.sizes[0], "MBps": megabytes / (time.perf_counter() - began), **percentiles(took)},
    ]


async def _sunk(api: ApiStub, total: int) -> int:
    return await api.sink(chunks(total))


async def payload(caller: OurCaller, options: argparse.Namespace) -> Points:
    """Microseconds of an echo of so many bytes, and of so many characters."""
    points: Points = []
    for size in options.sizes:
        data, text = b"\xab" * size, "x" * size

        async def echo_bytes(data: bytes = data) -> None:
            if len(await caller.api.echo_bytes(data)) != len(data):
                raise RuntimeError("bytes were lost")

        async def echo_text(text: str = text) -> None:
            if len(await caller.api.echo_text(text)) != len(text):
                raise RuntimeError("characters were lost")

        point: dict[str, float] = {"size": size}
        for kind, echo in (("bytes_us", echo_bytes), ("text_us", echo_text)):
            await echo()
            point[kind] = percentiles(await repeat(echo, options.dur))["p50_us"]
        points.append(point)
    return points


async def pipeline(caller: OurCaller, options: argparse.Namespace) -> Points:
    """Milliseconds of a chain of so many calls: as one pipeline, and awaiting each result before the next call."""
    points: Points = []
    first = await caller.api.start()
    for depth in options.sizes:

        async def pipelined(depth: int = depth) -> None:
            step: Any = first
            for _ in range(depth - 1):
                step = step.next()
            if await step.depth() != depth:
                raise RuntimeError("the chain is not as long as it was made")

        async def one_by_one(depth: int = depth) -> None:
            step: Any = first
            for _ in range(depth - 1):
                step = await step.next()
            await step.depth()

        took = sorted([(await repeat(pipelined, 0))[0] for _ in range(TRIES)])
        point = {"size": depth, "pipelined_ms": took[TRIES // 2] * 1e3}
        if depth in options.sequential:
            point["sequential_ms"] = (await repeat(one_by_one, 0))[0] * 1e3
        points.append(point)
    return points


MEASUREMENTS = {
    measurement.__name__: measurement
    for measurement in (exports, capabilities, sessions, connections, busy, payload, pipeline)
}


def numbers(text: str) -> list[int]:
    """Numbers separated by commas."""
    return [int(number) for number in text.split(",") if number]


async def run(options: argparse.Namespace) -> None:
    """Measures, and prints."""
    caller = OurCaller(RAISED)
    await caller.open("127.0.0.1", options.port)
    print(json.dumps({"points": await MEASUREMENTS[options.what](caller, options)}), flush=True)
    os._exit(0)  # without taking a million stubs apart first


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sizes", type=numbers, required=True)
    parser.add_argument("--sequential", type=numbers, default=[], help="depths to walk step by step as well")
    parser.add_argument("--dur", type=float, default=0.5)
    asyncio.run(run(parser.parse_args()))
