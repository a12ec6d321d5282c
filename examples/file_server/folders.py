"""The two kinds of folders that clients hold. Rule: what a client must not do, the object that it holds cannot do."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from typing import Self

from capnweb_runtime import ReadableStream
from examples.file_server.generated.file_server import FolderTarget, ReadFolderTarget
from examples.file_server.paths import Descriptor, entries_of, entry_of, open_file, open_folder, open_parent, parts_of
from examples.file_server.schemas.file_server import Changed, Content, Entry, NotFound, OutOfRange, TooLarge

PIECE = 64 * 1024
"""Bytes that are read at a time."""
LARGEST = 64 * 1024 * 1024
"""Bytes that a file may have."""


class Reading(ReadFolderTarget):
    """A folder to read.

    Parameters:
        descriptor: of the folder; owned.
    """

    def __init__(self, descriptor: int) -> None:
        self._opened = Descriptor(descriptor)

    @property
    def _folder(self) -> int:
        return self._opened.number

    def entries(self) -> list[Entry]:
        return entries_of(self._folder)

    def folder(self, path: str) -> ReadFolderTarget:
        return Reading(open_folder(self._folder, parts_of(path)))

    def content(self, path: str, known: str = "") -> Content:
        opened = open_file(self._folder, path)
        entry = entry_of(path.rpartition("/")[2], os.fstat(opened))
        assert entry is not None  # a file was opened
        if entry.tag == known:
            os.close(opened)
            return Content(entry=entry, pieces=None)
        return Content(entry=entry, pieces=Pieces(opened, 0, entry.size))

    def read(self, path: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        opened = open_file(self._folder, path)
        size = os.fstat(opened).st_size
        begin = start if start >= 0 else max(0, size + start)
        if begin > size:
            os.close(opened)
            raise OutOfRange(size)
        return Pieces(opened, begin, size - begin if length is None else length)


class Writing(Reading, FolderTarget):
    """A folder to read and change."""

    def folder(self, path: str) -> FolderTarget:
        return Writing(open_folder(self._folder, parts_of(path)))

    async def write(self, path: str, pieces: ReadableStream[bytes], if_tag: str | None = None) -> Entry:
        parent, name = open_parent(self._folder, path)
        hidden = f".{secrets.token_hex(8)}"  # in the same folder: only there it can be put in a file's place at once
        try:
            _check_tag(parent, name, if_tag)
            await _store(parent, hidden, pieces)
            _check_tag(parent, name, if_tag)
            try:
                os.replace(hidden, name, src_dir_fd=parent, dst_dir_fd=parent)
            except OSError:
                raise NotFound(f"{path!r} is a folder") from None
            written = _entry_at(parent, name)
            assert written is not None
            return written
        finally:
            _forget(parent, hidden)
            os.close(parent)

    def remove(self, path: str) -> None:
        parent, name = open_parent(self._folder, path)
        try:
            found = _entry_at(parent, name)
            if found is None:
                raise NotFound(f"there is no {path!r}")
            if found.kind == "folder":
                shutil.rmtree(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)
        finally:
            os.close(parent)

    def make_folder(self, path: str) -> FolderTarget:
        parent, name = open_parent(self._folder, path)
        try:
            os.mkdir(name, dir_fd=parent)
            return Writing(open_folder(parent, [name]))
        except FileExistsError:
            return Writing(open_folder(parent, [name]))
        finally:
            os.close(parent)

    def reading(self) -> ReadFolderTarget:
        return Reading(os.dup(self._folder))  # an object that has no `write`, and no way to this one


class Pieces:
    """Bytes of a file as a stream. No generator: of one that nobody begins to read nothing runs, and it would leave the
    file open.

    Parameters:
        opened: descriptor of the file; owned.
        start: where to begin.
        length: how many bytes there are to be at most.
    """

    def __init__(self, opened: int, start: int, length: int) -> None:
        self._file = os.fdopen(opened, "rb", buffering=0)
        self._file.seek(start)
        self._left = length
        self._reading: asyncio.Future[bytes] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._reading = asyncio.ensure_future(asyncio.to_thread(self._file.read, min(PIECE, self._left)))
        piece = await asyncio.shield(self._reading)
        if not piece:
            self._file.close()
            raise StopAsyncIteration
        self._left -= len(piece)
        return piece

    async def aclose(self) -> None:
        """Nobody reads on, or has ever begun."""
        if self._reading is None or self._reading.done():
            self._file.close()
        else:  # a descriptor must not be closed while a thread uses it
            self._reading.add_done_callback(lambda _: self._file.close())


async def _store(parent: int, name: str, pieces: ReadableStream[bytes]) -> None:
    """Write a new file. Raises TooLarge once it is too large."""
    opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=parent)
    with os.fdopen(opened, "wb", buffering=0) as file:
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > LARGEST:
                raise TooLarge(LARGEST)
            await asyncio.to_thread(file.write, piece)


def _entry_at(parent: int, name: str) -> Entry | None:
    try:
        return entry_of(name, os.stat(name, dir_fd=parent, follow_symlinks=False))
    except OSError:
        return None


def _check_tag(parent: int, name: str, expected: str | None) -> None:
    found = _entry_at(parent, name)
    tag = found.tag if found is not None else ""
    if expected is not None and expected != tag:
        raise Changed(tag)


def _forget(parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return  # it is in its place
