"""Measures one way to a server: `python -m tests.bench.mounts_client URL TRANSPORT [--authority FILE]` prints one line
of JSON.

`one`: calls a second, one in flight, which is one in a batch · `many`: calls a second, 64 in flight, or 100 in a batch
· `echo`: MB a second of 1 MB there and back · `stream`: MB a second in chunks of 64 KiB; not in batches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Literal, get_args

from capnweb_runtime import connect
from capnweb_runtime.serving.peer import Transport
from tests.bench.client import chunks
from tests.bench.driver import freeze_heap, repeat
from tests.bench.generated.api import ApiStub

WINDOW = 64
BATCH = 100
DATA = b"\xab" * 1_000_000
STREAM = 4 << 20
Steps = dict[str, tuple[Callable[[], Awaitable[None]], float]]
"""What is repeated for each figure, and how much one of it counts."""


def session_steps(api: ApiStub) -> Steps:
    """What is done in a session."""

    async def one() -> None:
        await api.add(1, 2)

    async def many() -> None:
        await asyncio.gather(*[api.add(1, 2) for _ in range(WINDOW)])

    async def echo() -> None:
        if len(await api.echo_bytes(DATA)) != len(DATA):
            raise RuntimeError("bytes were lost")

    async def stream() -> None:
        if await api.sink(chunks(STREAM)) != STREAM:
            raise RuntimeError("bytes were lost")

    return {"one": (one, 1), "many": (many, WINDOW), "echo": (echo, len(DATA) / 1e6), "stream": (stream, STREAM / 1e6)}


def batch_steps(url: str, trusted: ssl.SSLContext | None) -> Steps:
    """What is done in batches, each of which is a session."""

    async def calls(count: int) -> None:
        async with connect(url, ApiStub, ssl=trusted) as api:
            if await asyncio.gather(*[api.add(i, 1) for i in range(count)]) != list(range(1, count + 1)):
                raise RuntimeError("the batch has wrong sums")

    async def echo() -> None:
        async with connect(url, ApiStub, ssl=trusted) as api:
            if len(await api.echo_bytes(DATA)) != len(DATA):
                raise RuntimeError("bytes were lost")

    return {"one": (lambda: calls(1), 1), "many": (lambda: calls(BATCH), BATCH), "echo": (echo, len(DATA) / 1e6)}


async def measured(steps: Steps, seconds: float) -> dict[str, float]:
    """How much of each comes to pass in a second."""
    found = {}
    for name, (step, counts) in steps.items():
        await repeat(step, seconds / 3)
        began = time.perf_counter()
        took = await repeat(step, seconds)
        found[name] = len(took) * counts / (time.perf_counter() - began)
    return found


async def run(options: argparse.Namespace) -> None:
    """Measures, and prints."""
    trusted = None if options.authority is None else ssl.create_default_context(cafile=options.authority)
    if options.transport == "http":
        found = await measured(batch_steps(options.url, trusted), options.dur)
    else:
        kind: Literal["webtransport"] | None = "webtransport" if options.transport == "webtransport" else None
        async with connect(options.url, ApiStub, ssl=trusted, transport=kind) as api:
            found = await measured(session_steps(api), options.dur)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("transport", choices=get_args(Transport))
    parser.add_argument("--authority", help="file with the certificate that has signed the server's")
    parser.add_argument("--dur", type=float, default=0.5, help="seconds for each figure")
    given = parser.parse_args()
    freeze_heap()
    asyncio.run(run(given))
