"""A client of the market: `python -m examples.backend.services.client ws://127.0.0.1:8080/`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from examples.backend.services.generated.market import MarketStub
from examples.backend.services.schemas.market import Company


async def everything(api: MarketStub) -> list[Company]:
    """All companies, in one round trip."""
    return await api.symbols().map(api.company)


async def main(url: str) -> None:
    """Print all companies."""
    async with connect(url, MarketStub) as api:
        for company in await everything(api):
            print(company)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
