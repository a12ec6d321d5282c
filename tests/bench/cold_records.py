"""A program that makes one call and ends, by a schema whose models are dataclasses: `python
tests/bench/cold_records.py PORT`.
"""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from tests.bench.generated.records import RecordsStub


async def main(port: str) -> None:
    async with connect(f"ws://127.0.0.1:{port}/rpc", RecordsStub) as api:
        profile = await api.authenticate("token").get_profile(5)
        print(profile.id, flush=True)


asyncio.run(main(sys.argv[1]))
