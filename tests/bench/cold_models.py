"""A program that makes one call and ends, by a schema with models: `python tests/bench/cold_models.py PORT`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from tests.bench.generated.api import ApiStub


async def main(port: str) -> None:
    async with connect(f"ws://127.0.0.1:{port}/rpc", ApiStub) as api:
        profile = await api.authenticate("token").get_profile(5)
        print(profile.id, flush=True)


asyncio.run(main(sys.argv[1]))
