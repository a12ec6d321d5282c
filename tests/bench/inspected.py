"""What looking at a server costs it: `python -m tests.bench.inspected`. Rule: what is compared is the CPU time of the
server per call, of rounds that take turns, so that what else the machine does cancels out.

Three servers in this process: without an inspector, with one that nobody looks at, and with one that is looked at as
the page does, twice a second, in the view of calls. Clients in another process make calls at a given rate, and look.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time

from capnweb_runtime import connect, serve
from capnweb_runtime.inspector.generated.inspection import DoorStub
from tests.runtime.transports.example_api import Example, ExampleStub

KINDS = ("without", "closed", "open")
SESSIONS = 20
TURN = 0.02  # seconds between two portions of calls
WARM = 2.0  # seconds of a round that are not counted: the page is opened in them
LOOK = 0.5  # seconds between two looks of the page


async def client(url: str, page: str, rate: int, seconds: float) -> None:
    """Calls at a rate, from several sessions, a portion in each turn; and looks, if there is a page."""
    looking = asyncio.create_task(look(page)) if page else None
    sessions = [connect(url, ExampleStub) for _ in range(SESSIONS)]
    stubs = [await session.__aenter__() for session in sessions]
    loop = asyncio.get_running_loop()
    began, done = loop.time(), 0
    while (now := loop.time() - began) < seconds:
        due = int(now * rate) - done
        done += due
        await asyncio.gather(*(stubs[at % SESSIONS].add(at, 1) for at in range(due)))
        await asyncio.sleep(max(0.0, TURN - (loop.time() - began - now)))
    for session in sessions:
        await session.__aexit__(None, None, None)
    if looking is not None:
        looking.cancel()
    print(done)


async def look(url: str) -> None:
    """Looks as the page does, until it is cancelled."""
    page, _, token = url.partition("#")
    async with connect(page.replace("http", "ws", 1) + "/session", DoorStub) as door:
        inspection, at = door.authenticate(token), 0
        while True:
            at = (await inspection.calls(at, None)).at
            await asyncio.sleep(LOOK)


async def round_of(kind: str, rate: int, seconds: float) -> float:
    """CPU time of the server per call, in microseconds."""
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=kind != "without") as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.inspected", "--client", server.url),
            *("--rate", str(rate), "--seconds", str(seconds), "--look", server.inspector_url if kind == "open" else ""),
            stdout=asyncio.subprocess.PIPE,
        )
        await asyncio.sleep(WARM)
        before = sum(one.session.calls_received for one in server._admission.connections)
        began = time.process_time()
        said, _ = await process.communicate()
        spent = time.process_time() - began
    return spent / (int(said) - before) * 1e6


async def measure(rate: int, seconds: float, rounds: int) -> None:
    """Prints a line for each kind."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            found[kind].append(await round_of(kind, rate, seconds))
    base = statistics.median(found["without"])
    for kind, costs in found.items():
        extra = [cost / without - 1 for cost, without in zip(costs, found["without"], strict=True)]
        median = statistics.median(costs)
        print(f"{kind:8} {median:6.1f} µs a call  {statistics.median(extra):+6.1%} of pairs  {median / base - 1:+6.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.inspected", description=__doc__)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--look", default="", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, default=10_000, help="calls a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of one round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="of each kind (default: %(default)s)")
    options = parser.parse_args()
    if options.client:
        asyncio.run(client(options.client, options.look, options.rate, options.seconds))
    else:
        asyncio.run(measure(options.rate, options.seconds, options.rounds))
