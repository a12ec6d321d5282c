"""What every measured Python client shares: its command line, the workloads, the clock. Rule: standard library only,
since peers run it in environments of their own.

A client gives a `Caller`, of which it overrides what its library can do, and calls `main`. One workload is run, and
one line of JSON printed. Nothing is built, and nothing but the calls is done, while the clock runs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

WORKLOADS = ("a", "b64", "b1000", "c", "d", "e", "f", "f100k", "g")
CHUNK = 64 * 1024
ITEMS: list[dict[str, Any]] = [
    {
        "id": i,
        "name": f"User Number {i}",
        "email": f"user{i}@example.com",
        "tags": ["alpha", "beta"],
        "score": i * 1.5 + 0.25,
    }
    for i in range(100)
]
TOTAL_SCORE = sum(item["score"] for item in ITEMS)

Step = Callable[[], Awaitable[Any]]


class Caller:
    """One client of one server. Windows are made of single calls unless the library has a better way."""

    async def open(self, host: str, port: int) -> None:
        """Connects."""
        raise NotImplementedError

    async def close(self) -> None:
        """Disconnects; what has no need to be closed leaves this out."""

    async def settle(self) -> None:
        """Collects garbage at both ends, as far as the library lets a client."""
        gc.collect()

    def add(self, a: int, b: int) -> Awaitable[int]:
        """The sum."""
        raise NotImplementedError

    def chain(self) -> Awaitable[Any]:
        """A profile, from an account that has to be asked for first: one round trip, where the library can."""
        raise NotImplementedError

    def churn(self) -> Awaitable[Any]:
        """Makes an object at the server, calls it, gives it up."""
        raise NotImplementedError

    def echo(self) -> Awaitable[Any]:
        """Sends the 100 items, in the library's own form, and receives them."""
        raise NotImplementedError

    def scores(self, echoed: Any) -> float:
        """The sum of the scores among what `echo` gave: the reply has to be of use, however late it is decoded."""
        raise NotImplementedError

    def batch(self, count: int) -> Awaitable[list[int]]:
        """`i + 1` for that many `i`, in one HTTP request."""
        raise NotImplementedError

    def stream(self, total: int) -> Awaitable[int]:
        """Sends so many bytes in chunks of 64 KiB; what the server counted."""
        raise NotImplementedError

    async def adds(self, count: int) -> list[int]:
        """That many sums at a time."""
        return await asyncio.gather(*[self.add(1, 2) for _ in range(count)])

    async def chains(self, count: int) -> list[Any]:
        """That many chains at a time."""
        return await asyncio.gather(*[self.chain() for _ in range(count)])

    async def churns(self, count: int) -> list[Any]:
        """That many cycles at a time."""
        return await asyncio.gather(*[self.churn() for _ in range(count)])

    async def add_once(self) -> None:
        """One sum, on its own."""
        await self.add(1, 2)

    async def echo_once(self) -> None:
        """One echo, used."""
        if self.scores(await self.echo()) != TOTAL_SCORE:
            raise RuntimeError("the echo differs from what was sent")

    async def batch_once(self) -> None:
        """One batch of 100 sums, checked."""
        if await self.batch(100) != list(range(1, 101)):
            raise RuntimeError("the batch has wrong sums")


class Clock:
    """Time by the clock, and the processor's time at both ends.

    Parameters:
        server: process of the server; 0 if not known.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._cpu = cpu_seconds(os.getpid()), cpu_seconds(server)
        self._started = time.perf_counter()

    def report(self, count: int) -> dict[str, float]:
        """What so many calls since the clock was started come to."""
        seconds = time.perf_counter() - self._started
        client = cpu_seconds(os.getpid()) - self._cpu[0]
        server = cpu_seconds(self._server) - self._cpu[1]
        return {
            "n": count,
            "dt": seconds,
            "rate": count / seconds,
            "cli_cpu_us": client / count * 1e6,
            "srv_cpu_us": server / count * 1e6,
        }


def cpu_seconds(process: int) -> float:
    """Processor time of a process; 0 where that cannot be known."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """Resident memory of a process in MB; 0 where that cannot be known."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def repeat(step: Step, seconds: float) -> list[float]:
    """Awaits the step for so long, at least once; how long each took."""
    clock = time.perf_counter
    took: list[float] = []
    at = clock()
    end = at + seconds
    while not took or at < end:
        await step()
        before, at = at, clock()
        took.append(at - before)
    return took


def percentiles(took: list[float]) -> dict[str, float]:
    """The median and the 99th percentile, in microseconds."""
    ordered = sorted(took)
    return {"p50_us": ordered[len(ordered) // 2] * 1e6, "p99_us": ordered[int(len(ordered) * 0.99)] * 1e6}


def steps(caller: Caller) -> dict[str, tuple[Step, int]]:
    """Of each workload that is repeated for a time: what is repeated, and how many calls, chains or cycles that is."""
    return {
        "a": (caller.add_once, 1),
        "b64": (lambda: caller.adds(64), 64),
        "b1000": (lambda: caller.adds(1000), 1000),
        "c": (lambda: caller.chains(64), 64),
        "d": (caller.echo_once, 1),
        "e": (caller.batch_once, 100),
        "f": (lambda: caller.churns(64), 64),
    }


async def measure(caller: Caller, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one workload; the caller is connected."""
    if options.wl == "g":
        return await measure_stream(caller, options)
    if options.wl == "f100k":
        return await measure_churn(caller, options)
    step, weight = steps(caller)[options.wl]
    if options.wl in {"a", "b64", "b1000"} and await caller.add(30, 12) != 42:
        raise RuntimeError("the sum is wrong")
    await repeat(step, options.warm)
    clock = Clock(options.srvpid)
    took = await repeat(step, options.dur)
    return clock.report(len(took) * weight) | percentiles(took)


async def measure_stream(caller: Caller, options: argparse.Namespace) -> dict[str, Any]:
    """Chunks per second of one long stream, after a short one."""
    await caller.stream(4 << 20)
    total = options.mib << 20
    clock = Clock(options.srvpid)
    if await caller.stream(total) != total:
        raise RuntimeError("bytes were lost")
    figures = clock.report(total // CHUNK)
    return figures | {"MBps": total / figures["dt"] / 1e6}


async def measure_churn(caller: Caller, options: argparse.Namespace) -> dict[str, Any]:
    """Many cycles, and the memory of both ends before and after them."""

    async def cycles(count: int) -> int:
        done = 0
        while done < count:
            await caller.churns(64)
            done += 64
        return done

    await cycles(min(5000, options.cycles))
    await caller.settle()
    before = resident(os.getpid()), resident(options.srvpid)
    clock = Clock(options.srvpid)
    figures = clock.report(await cycles(options.cycles))
    await caller.settle()
    after = resident(os.getpid()), resident(options.srvpid)
    memory = dict(zip(("cli_rss0", "srv_rss0", "cli_rss1", "srv_rss1"), before + after, strict=True))
    return figures | memory


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of every client."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--srvpid", type=int, default=0, help="process of the server, for its time and memory")
    parser.add_argument("--wl", choices=WORKLOADS, required=True, help="workload")
    parser.add_argument("--dur", type=float, default=2.0, help="seconds to measure")
    parser.add_argument("--warm", type=float, default=0.4, help="seconds before that")
    parser.add_argument("--cycles", type=int, default=100_000, help="cycles of f100k")
    parser.add_argument("--mib", type=int, default=256, help="MiB of g")
    parser.add_argument("--uvloop", action="store_true")
    return parser.parse_args(argv)


async def run(caller: Caller, options: argparse.Namespace) -> None:
    """Connects, measures, prints."""
    await caller.open("127.0.0.1", options.port)
    print(json.dumps({"wl": options.wl} | await measure(caller, options)), flush=True)
    await caller.close()


def freeze_heap() -> None:
    """Takes what has been imported out of the garbage collector's sight, as a program that serves does once it has
    started: a full collection would go through all of it, for as long as some thousand calls take.
    """
    gc.collect()
    gc.freeze()


def use_uvloop() -> None:
    """Makes uvloop the event loop of what is run next; it is an extra, so it is imported only if asked for."""
    import_module("uvloop").install()


def main(caller: Caller) -> None:
    """The program of a client."""
    options = arguments()
    if options.uvloop:
        use_uvloop()
    freeze_heap()
    asyncio.run(run(caller, options))


def peer(
    caller: Callable[[], Caller],
    serve: Callable[[int], Awaitable[None]],
    start: Callable[[Awaitable[None]], None] = lambda program: asyncio.run(_await(program)),
) -> None:
    """The program of a peer: `serve PORT` serves and prints READY, anything else is a client's command line.

    Parameters:
        caller: makes the client.
        serve: serves on a port.
        start: runs either.
    """
    freeze_heap()
    if sys.argv[1] == "serve":
        start(serve(int(sys.argv[2])))
    else:
        start(run(caller(), arguments()))


async def _await(program: Awaitable[None]) -> None:
    await program
