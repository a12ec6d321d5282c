"""A program that makes one call and ends, by a schema without models: `python tests/bench/cold_plain.py PORT`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from tests.bench.generated.plain import PlainStub


async def main(port: str) -> None:
    async with connect(f"ws://127.0.0.1:{port}/rpc", PlainStub) as api:
        print(await api.add(1, 2), flush=True)


asyncio.run(main(sys.argv[1]))
