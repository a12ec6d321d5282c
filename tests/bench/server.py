"""Serves the measured interface: `server.py PORT [--uvloop] [--raised]` prints READY once it accepts connections.

Limits are the defaults; `--raised` lets a session hold millions of capabilities. Runs as a module and as a script.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from pathlib import Path

if not __package__:  # as a script, whose own folder would hide the project's packages
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from capnweb_runtime import ReadableStream, serve
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits, ServerLimits
from tests.bench.driver import freeze_heap, resident, use_uvloop
from tests.bench.generated.api import AccountTarget, ApiTarget, CapabilityTarget, StepTarget
from tests.bench.schema.api import Item, Profile, Usage

RAISED = Limits(exports=2_000_000, imports=2_000_000, held_bytes=2 << 30)
"""A million capabilities, which are over a kilobyte each."""


class Account(AccountTarget):
    def get_profile(self, id: int) -> Profile:
        return Profile(id=id, name="Ada", email="ada@example.com")


class Capability(CapabilityTarget):
    def ping(self) -> int:
        return 1


class Step(StepTarget):
    def __init__(self, number: int = 1) -> None:
        self.number = number

    def next(self) -> Step:
        return Step(self.number + 1)

    def depth(self) -> int:
        return self.number


class Api(ApiTarget):
    def add(self, a: int, b: int) -> int:
        return a + b

    def authenticate(self, token: str) -> Account:
        return Account()

    def echo(self, items: list[Item]) -> list[Item]:
        return items

    def make(self) -> Capability:
        return Capability()

    async def sink(self, stream: ReadableStream[bytes]) -> int:
        return sum([len(chunk) async for chunk in stream])

    def make_many(self, count: int) -> list[Capability]:
        return [Capability() for _ in range(count)]

    def echo_bytes(self, data: bytes) -> bytes:
        return data

    def echo_text(self, data: str) -> str:
        return data

    def start(self) -> Step:
        return Step()

    def usage(self) -> Usage:
        gc.collect()
        return Usage(rss=resident(os.getpid()), heap=0.0)


async def main(port: int, limits: Limits = DEFAULT_LIMITS) -> None:
    total = ServerLimits(held_bytes=max(limits.held_bytes, ServerLimits().held_bytes))
    async with serve(lambda peer: Api(), "127.0.0.1", port, path="/rpc", limits=limits, server_limits=total) as server:
        print("READY", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--raised", action="store_true")
    options = parser.parse_args()
    if options.uvloop:
        use_uvloop()
    freeze_heap()
    asyncio.run(main(options.port, RAISED if options.raised else DEFAULT_LIMITS))
