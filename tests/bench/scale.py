"""Processes that share an engine: `python -m tests.bench.scale` measures what a backplane takes and gives in about five
minutes, models many workers, writes docs/performance/scale.json, and docs/performance.md anew.

Rule: as in `run`, whatever fails is noted where its figure would stand; an engine that is not here is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

import redis
from rich.console import Console

from capnweb_runtime import connect, serve
from capnweb_runtime.scale import Bounds, MemoryBackplane
from tests.bench import environments, render
from tests.bench.processes import PYTHON, ROOT, MeasureError, allow_many_files, environment
from tests.bench.progress import Steps
from tests.bench.run import machine, measured, rounded
from tests.bench.scale_texts import TITLES
from tests.placed.generated.rooms import FrontStub
from tests.placed.processes import Process
from tests.runtime.scale.engines import SERVERS, Served, served
from tests.scale import simulation
from tests.scale.chaos import PROGRAMS, available
from tests.scale.generated.relay import RelayStub
from tests.scale.subscriber import Record, follow
from tests.scale.worker import Relay
from tests.scale.workers import Worker, workers

Figures = dict[str, float]
BOUNDS = Bounds(history_events=2_000, queue_events=2_000, replay_events=2_000)
SUBSCRIBERS = 100
"""Of all workers together, where events are counted."""
PATIENCE = 300
"""Seconds for ten thousand subscribers to begin, or to be told."""
TTL = 1.0
"""Seconds of an owner's lease."""


class Measuring:
    """How much is measured, and who is told.

    Parameters:
        scale: below 1, everything is shorter and smaller.
        steps: told of each step.
    """

    def __init__(self, scale: float, steps: Steps) -> None:
        self.scale = scale
        self.steps = steps
        self.failed: list[str] = []

    def count(self, number: int) -> int:
        return max(round(number * self.scale), 5)

    def run(self, what: str, measurement: Coroutine[Any, Any, Any]) -> Any:
        """What a measurement gives; None, and a word about it, if it fails."""
        self.steps.step(what)
        try:
            return asyncio.run(measurement)
        except (MeasureError, AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            self.failed.append(f"{what}: {type(error).__name__} {error}".strip())
            return None


def percentiles(taken: list[float]) -> Figures:
    """In µs."""
    ordered = sorted(taken)
    return {"p50_us": statistics.median(ordered) * 1e6, "p99_us": ordered[int(len(ordered) * 0.99)] * 1e6}


async def latency(publish: Callable[[int], Awaitable[Any]], url: str, count: int) -> Figures:
    """From before an event is published until a client of a worker has it, one at a time."""
    taken = []
    async with connect(url, RelayStub) as api:
        stream = aiter(api.follow("latency", ""))
        await anext(stream)
        for number in range(count):
            begun = time.perf_counter()
            await publish(number)
            await anext(stream)
            taken.append(time.perf_counter() - begun)
    return percentiles(taken[count // 10 :])


async def latency_in_memory(count: int) -> Figures:
    """The same where there is one process."""
    backplane = MemoryBackplane()
    async with backplane, serve(lambda peer: Relay(backplane), "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.port}/"
        return await latency(lambda number: backplane.publish("latency", b"%d" % number), url, count)


async def latency_through(engine: Served, count: int) -> Figures:
    async with workers(engine.server.url, engine.name, 1) as (worker,), engine.open() as backplane:
        return await latency(lambda number: backplane.publish("latency", b"%d" % number), worker.url, count)


@contextlib.asynccontextmanager
async def readers(url: str, topic: str, count: int, events: int) -> AsyncGenerator[subprocess.Popen[str]]:
    """Subscribers in a process of their own, which have begun."""
    command = [*PYTHON, "tests.bench.scale_client", url, topic, str(count), str(events)]
    process = subprocess.Popen(  # noqa: ASYNC220  (it takes no time)
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        if await line(process) != "READY\n":
            raise MeasureError("subscribers ended before they had begun")
        yield process
    finally:
        process.kill()
        process.communicate()


async def line(process: subprocess.Popen[str]) -> str:
    """The next one that it prints."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return await asyncio.to_thread(process.stdout.readline)


async def load_of(running: list[Worker]) -> tuple[int, float]:
    """Resident bytes, and seconds of the processor, of all workers."""
    resident, processor = 0, 0.0
    for worker in running:
        async with connect(worker.url, RelayStub) as api:
            load = await api.load()
            resident, processor = resident + load.resident, processor + load.processor
    return resident, processor


async def told(engine: Served, number: int, subscribers: int, events: int) -> Figures:
    """So many workers, whose subscribers are told events that are published as fast as they can be."""
    async with workers(engine.server.url, engine.name, number, BOUNDS) as running, engine.open(BOUNDS) as backplane:
        before, _ = await load_of(running)
        async with contextlib.AsyncExitStack() as stack:
            reading = [
                await stack.enter_async_context(readers(worker.url, "told", subscribers // number, events))
                for worker in running
            ]
            after, begun = await load_of(running)
            for event in range(events):
                await backplane.publish("told", b"%100d" % event)
            found = [json.loads(await line(process)) for process in reading]
            _, ended = await load_of(running)
        seconds = max(one["last"] for one in found) - min(one["first"] for one in found)
        told = subscribers // number * number * events
        return {
            "subscribers": subscribers,
            "rate": told / seconds,
            "cpu_us": (ended - begun) / told * 1e6,
            "kb": (after - before) / subscribers / 1e3,
            "gaps": sum(one["gaps"] for one in found),
        }


async def reads(engine: Served, seconds: float) -> Figures:
    """Pages of history that the engine gives in a second to one process that asks for 16 at once; and what one takes of
    Redis itself, which does one thing at a time.
    """
    async with engine.open() as backplane:
        opened: Any = backplane
        first, *_ = [await backplane.publish("reads", b"%100d" % number) for number in range(17)]
        until = time.perf_counter() + seconds

        async def ask() -> int:
            asked = 0
            while time.perf_counter() < until:
                await opened.page("reads", first, 64)
                asked += 1
            return asked

        before = spent(engine)
        rate = sum(await asyncio.gather(*(ask() for _ in range(16)))) / seconds
        after = spent(engine)
    found = {"rate": rate}
    if before and after:
        found["engine_us"] = (after[1] - before[1]) / (after[0] - before[0])
    return found


def spent(engine: Served) -> tuple[int, int] | None:
    """How many scripts Redis has run, and in how many µs; None of another engine."""
    if not engine.server.url.startswith("redis:"):
        return None
    with redis.Redis.from_url(engine.server.url) as client:
        stats: Any = client.info("commandstats")
    return stats["cmdstat_evalsha"]["calls"], stats["cmdstat_evalsha"]["usec"]


async def taken_over(engine: Served, number: int, *, leaves: bool) -> float:
    """Seconds from the end of an owner until another worker's answers, the median of several."""
    taken = []
    async with Process(engine.server.url, engine.name, "b", TTL) as other, connect(other.url, FrontStub) as front:
        for turn in range(number):
            name = f"taken over {leaves} {turn}"
            async with Process(engine.server.url, engine.name, "a", TTL) as owner:
                async with connect(owner.url, FrontStub) as there:
                    assert await there.room(name).worker() == "a"
                begun = time.perf_counter()
                if leaves:
                    await owner.leave()
                else:
                    owner.kill()
                async with asyncio.timeout(60):
                    while await who(front, name) != "b":  # noqa: ASYNC110  (nobody tells who has it)
                        await asyncio.sleep(0.01)
                taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


async def who(front: FrontStub, name: str) -> str:
    try:
        return await front.room(name).worker()
    except Exception:  # it is nobody's yet
        return ""


async def resumed(engine: Served, number: int) -> float:
    """Seconds from the end of a worker until its client has what it missed from another one."""
    taken = []
    for turn in range(number):
        record = Record(lambda: 0)
        topic = f"resumed {turn}"
        async with workers(engine.server.url, engine.name, 2) as (first, second), engine.open() as backplane:
            using = [first.url]
            following = asyncio.create_task(follow(record, lambda using=using: using, topic))  # type: ignore[misc]
            await record.begun()
            first.kill()
            begun = time.perf_counter()
            using[:] = [second.url]
            await backplane.publish(topic, b"1")
            async with asyncio.timeout(60):
                await record.until(1)
            taken.append(time.perf_counter() - begun)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    return statistics.median(taken)


async def calls(engine: Served, seconds: float) -> dict[str, Figures]:
    """Calls to an owner, from a client of its worker and from one of another."""
    found = {}
    async with (
        Process(engine.server.url, engine.name, "a", 30.0) as owner,
        Process(engine.server.url, engine.name, "b", 30.0) as other,
    ):
        async with connect(owner.url, FrontStub) as front:
            assert await front.room("calls").worker() == "a"
        for name, worker in (("local", owner), ("remote", other)):
            async with connect(worker.url, FrontStub) as front, await front.room("calls") as room:
                taken, until = [], time.perf_counter() + seconds
                while (begun := time.perf_counter()) < until:
                    await room.worker()
                    taken.append(time.perf_counter() - begun)
                begun, made = time.perf_counter(), 0
                while time.perf_counter() < begun + seconds:
                    await asyncio.gather(*(room.worker() for _ in range(64)))
                    made += 64
                found[name] = {"rate": made / (time.perf_counter() - begun), **percentiles(taken)}
    return found


def modelled(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Many workers, with what was measured of few."""
    given: dict[str, Any] = {}
    if found["reads"].get("redis"):
        given["reads"] = float(f"{1e6 / found['reads']['redis']['engine_us']:.2g}")
    if found["subscribers"]:
        last = found["subscribers"][-1]
        given |= {"session_bytes": round(last["kb"]) * 1000, "deliveries": float(f"{1e6 / last['cpu_us']:.2g}")}
    rows = []
    for setting in simulation.settings(simulation.Setting(1, 1, 1, **given)):
        load = simulation.load(setting)
        rows.append(
            {
                "workers": setting.workers,
                "subscribers": setting.subscribers,
                "topics": setting.topics,
                "pairs": load.pairs,
                "given": {"reads": setting.reads, "deliveries": setting.deliveries, "bytes": setting.session_bytes},
                "parts": load.parts,
                "first": load.first,
                "storm": vars(load.storm),
            }
        )
    return rows


def measure(measuring: Measuring) -> dict[str, Any]:
    """Everything."""
    one, steps, names = measuring, measuring.steps, available()
    found: dict[str, Any] = {"latency": {}, "told": {}, "reads": {}, "takeover": {}, "calls": {}, "subscribers": []}
    steps.phase("one process", 1)
    found["latency"]["memory"] = one.run("memory, latency", latency_in_memory(one.count(1_000)))
    for name in names:
        server = SERVERS[name]()
        steps.phase(name, 8)
        try:
            engine = served(server)
            found["latency"][name] = one.run(f"{name}, latency", latency_through(engine, one.count(1_000)))
            found["told"][name] = {
                str(number): one.run(f"{name}, {number} workers", told(engine, number, SUBSCRIBERS, one.count(400)))
                for number in (1, 2)
            }
            found["reads"][name] = one.run(f"{name}, reads", reads(engine, 2 * measuring.scale))
            found["takeover"][name] = {
                "killed": one.run(f"{name}, an owner is killed", taken_over(engine, 3, leaves=False)),
                "left": one.run(f"{name}, an owner leaves", taken_over(engine, 3, leaves=True)),
                "resumed": one.run(f"{name}, a client resumes", resumed(engine, 3)),
            }
            found["calls"][name] = one.run(f"{name}, calls to owners", calls(engine, 1.5 * measuring.scale))
        finally:
            server.close()
    if names:
        found["subscribers"] = many_subscribers(measuring, names[0])
    steps.phase("model", 1)
    steps.step("1,000 workers and 1,000,000 subscribers")
    found["model"] = modelled(found)
    found["failed"] = measuring.failed
    return found


def many_subscribers(measuring: Measuring, name: str) -> list[Figures]:
    """What a subscriber takes, with up to 10,000 of one worker, each with a session of its own."""
    server = SERVERS[name]()
    measuring.steps.phase(f"subscribers, {name}", 3)
    try:
        rows = [
            measuring.run(f"{count} subscribers", told(served(server), 1, count, events))
            for count, events in ((100, 200), (1_000, 40), (measuring.count(10_000), 8))
        ]
    finally:
        server.close()
    return [row for row in rows if row is not None]


def versions() -> dict[str, str]:
    """What it is made of, with versions."""
    own = environments.versions(sys.executable)
    found: dict[str, str] = {name: own[name] for name in ("redis", "nats-py", "websockets") if name in own}
    for name, program in PROGRAMS.items():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            ran = subprocess.run([str(program()), "--version"], capture_output=True, text=True, timeout=30, check=True)
            said = [part.removeprefix("v").removeprefix("=") for part in ran.stdout.split()]
            found[TITLES[name]] = next(part for part in said if part[:1].isdigit())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="below 1, everything is shorter and smaller")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    allow_many_files()
    console = Console()
    with Steps(console) as steps:
        before = machine()
        found = measure(Measuring(options.scale, steps))
        data = {
            "run": {"scale": options.scale},
            "machine": before | {"Measured": measured(steps)},
            "versions": versions(),
            **rounded(found),
        }
    if options.dry:
        console.print_json(json.dumps(data))
        return
    render.SCALE.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    for path in render.write(render.everything()):
        console.print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
