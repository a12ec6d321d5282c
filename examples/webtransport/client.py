"""A client of the observatory: `python -m examples.webtransport.client https://localhost:4433/sky FOLDER`."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from capnweb_runtime import connect
from examples.webtransport.generated.webtransport import ObservatoryStub
from examples.webtransport.schemas.webtransport import Reading
from examples.webtransport.server import CHUNK, TOKEN


def trusting(folder: Path) -> ssl.SSLContext:
    """Trusts the certificate in a folder, and no other: the authority there has signed nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "authority.pem")
    return context


@asynccontextmanager
async def observatory(
    url: str, trust: ssl.SSLContext, token: str = TOKEN, patience: float = 10
) -> AsyncGenerator[ObservatoryStub]:
    """A session over HTTP/3.

    Parameters:
        url: https://; without `transport` that would be a batch.
        trust: which certificates.
        token: what the observatory asks for.
        patience: seconds that the server has to answer.
    """
    headers = {"Authorization": token}
    async with connect(
        url, ObservatoryStub, transport="webtransport", ssl=trust, headers=headers, open_timeout=patience
    ) as sky:
        yield sky


async def pieces(picture: bytes) -> AsyncIterator[bytes]:
    """A picture, piece by piece."""
    for start in range(0, len(picture), CHUNK):
        yield picture[start : start + CHUNK]


async def main(url: str, folder: Path) -> None:
    """Watch, download and upload."""
    async with observatory(url, trusting(folder)) as sky:
        readings: list[Reading] = []
        await sky.watch(readings.append, 3)
        print(readings)
        print(sum([len(chunk) async for chunk in await sky.picture(100_000)]), "bytes")
        picture = bytes(100_000)
        print(await sky.store(pieces(picture)) == hashlib.sha256(picture).hexdigest())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
