"""The observatory: `python -m examples.webtransport.server --certificates FOLDER --port 4433`."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from capnweb_runtime import CallbackStub, Peer, ReadableStream, Refuse, serve
from capnweb_runtime.serving.development_certificate import make_certificate
from examples.webtransport.generated.webtransport import ObservatoryTarget
from examples.webtransport.schemas.webtransport import Reading

TOKEN = "Bearer stargazer"  # as an example; a program has it from its environment
CHUNK = 16 * 1024


class Observatory(ObservatoryTarget):
    """Measures and takes pictures, for one session."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def transport(self) -> str:
        return self._peer.transport

    def add(self, a: int, b: int) -> int:
        return a + b

    async def watch(self, on_reading: CallbackStub[[Reading], None], count: int) -> int:
        for number in range(count):
            await on_reading(Reading(number=number, celsius=20 + number / 10))
        return count

    async def picture(self, size: int) -> AsyncIterator[bytes]:
        while size > 0:
            chunk = bytes(min(size, CHUNK))
            yield chunk
            size -= len(chunk)

    async def store(self, picture: ReadableStream[bytes]) -> str:
        digest = hashlib.sha256()
        async for chunk in picture:
            digest.update(chunk)
        return digest.hexdigest()


def observatory_for(peer: Peer) -> Observatory:
    """Serves whoever has the token; headers are there as over a WebSocket."""
    if peer.headers.get("Authorization") != TOKEN:
        raise Refuse(401, "The observatory is closed.", {"WWW-Authenticate": "Bearer"})
    return Observatory(peer)


async def main(folder: Path, port: int) -> None:
    """Serve over HTTP/3 until a signal, with a new certificate in a folder."""
    made = make_certificate(folder)
    async with serve(
        observatory_for, "127.0.0.1", port, path="/sky", ssl=made.certificate, transports=["webtransport"]
    ) as server:
        print("serving", server.http_url, flush=True)
        print("fingerprint", made.base64, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.webtransport.server", description=__doc__)
    parser.add_argument("--port", type=int, default=4433, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--certificates", type=Path, required=True, help="folder for certificate, key and authority")
    told = parser.parse_args()
    asyncio.run(main(told.certificates, told.port))
