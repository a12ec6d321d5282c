"""Reads files, and those that have not changed only once: `python -m examples.file_server.client URL PATH`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator

from capnweb_runtime import connect
from examples.file_server.generated.file_server import FileServerStub, ReadFolderPromise, ReadFolderStub


class Cache:
    """Files of a folder as they were when they were read last.

    Parameters:
        folder: the folder; a promise of one does, too. It stays the caller's.

    Attributes:
        received: bytes of content that have come, in all.
    """

    def __init__(self, folder: ReadFolderStub | ReadFolderPromise) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[str, bytes]] = {}
        self.received = 0

    async def read(self, path: str) -> bytes:
        """What is in a file now. If that is what was in it the last time, it does not travel again."""
        known, kept = self._kept.get(path, ("", b""))
        content = await self._folder.content(path, known)
        if content.pieces is None:
            return kept
        data = await whole(content.pieces)
        self.received += len(data)
        self._kept[path] = content.entry.tag, data
        return data


async def whole(pieces: AsyncIterable[bytes]) -> bytes:
    """A stream as one value, for files that are known to be small."""
    return b"".join([piece async for piece in pieces])


async def in_pieces(data: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """A value as a stream."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def main(url: str, path: str) -> None:
    """Write a file to standard output."""
    async with connect(url, FileServerStub) as server:
        async for piece in server.reading().read(path):
            sys.stdout.buffer.write(piece)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
