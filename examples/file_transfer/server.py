"""The files: `python -m examples.file_transfer.server --folder FOLDER --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from capnweb_runtime import CallbackStub, ReadableStream, serve
from examples.file_transfer.folder import PIECE, Folder, Place, sha256_of
from examples.file_transfer.generated.file_transfer import FilesTarget, UploadTarget
from examples.file_transfer.schemas.file_transfer import (
    QuotaExceeded,
    SenderStopped,
    Stored,
    Superseded,
    WrongChecksum,
)

PROGRESS = 1024 * 1024
"""Bytes after which the sender is told how far it is."""


class Upload(UploadTarget):
    """A file on its way. What it holds is on the disk: there is nothing to lose in here."""

    def __init__(self, folder: Folder, name: str, place: Place) -> None:
        self._folder = folder
        self._name = name
        self._place = place

    @property
    def offset(self) -> int:
        return self._folder.kept(self._name)

    async def append(self, offset: int, pieces: ReadableStream[bytes], on_progress: CallbackStub[[int], None]) -> int:
        kept = told = self.offset
        if offset != kept:
            raise ValueError(f"{self._name!r} goes on at {kept:,}, not at {offset:,}")
        with self._folder.part(self._name).open("ab", buffering=0) as part:
            while piece := await self._next_of(pieces, kept):
                async with self._place.writing:
                    self._check(kept + len(piece))
                    await asyncio.to_thread(part.write, piece)  # a slow disk does not stop the other sessions
                kept += len(piece)
                if kept - told >= PROGRESS:
                    told = kept
                    await on_progress(kept)
        return kept

    async def finish(self, sha256: str) -> Stored:
        part = self._folder.part(self._name)
        async with self._place.writing:
            size = self.offset
            self._check(size)
            part.touch()  # of an empty file there is none yet
            actual = await asyncio.to_thread(sha256_of, part)
            if actual != sha256:
                part.unlink()
                raise WrongChecksum(actual)
            part.rename(self._folder.file(self._name))
            self.dispose()
        return Stored(name=self._name, size=size, sha256=actual)

    def dispose(self) -> None:
        """Nobody holds this any more, or the session has ended: what is kept stays, and its reservation ends."""
        if self._place.writer is self:
            self._place.writer = None
            self._folder.places.pop(self._name, None)

    async def _next_of(self, pieces: ReadableStream[bytes], kept: int) -> bytes:
        try:
            return await anext(pieces, b"")
        except Exception as error:  # of the sender, or of the connection
            raise SenderStopped(f"the sender stopped: {error}", kept) from error

    def _check(self, size: int) -> None:
        if self._place.writer is not self:
            raise Superseded(f"this upload of {self._name!r} is over, or another one has begun")
        if size > self._place.reserved:
            raise QuotaExceeded(f"{self._place.reserved:,} bytes were announced, and more have come", 0)


class Files(FilesTarget):
    """What a client gets first."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def upload(self, name: str, size: int) -> Upload:
        place = self._folder.reserve(name, size)
        upload = Upload(self._folder, name, place)
        async with place.writing:  # from here on nobody else adds to the file, so that its length is known
            place.writer = upload
            self._folder.places[name] = place  # also if what went before has ended meanwhile
        return upload

    async def stat(self, name: str) -> Stored:
        file = self._folder.complete(name)
        return Stored(name=name, size=file.stat().st_size, sha256=await asyncio.to_thread(sha256_of, file))

    async def download(self, name: str, offset: int = 0) -> AsyncIterator[bytes]:
        with self._folder.complete(name).open("rb", buffering=0) as file:
            file.seek(offset)
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    def names(self) -> list[str]:
        return self._folder.names()


async def main(folder: Folder, port: int) -> None:
    """Serve until a signal."""
    async with serve(lambda peer: Files(folder), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.file_transfer.server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the files are")
    parser.add_argument("--quota", type=int, default=1 << 30, help="bytes that there may be (default: 1 GiB)")
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(Folder(options.folder, options.quota), options.port))
