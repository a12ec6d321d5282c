"""Sends and fetches files: `python -m examples.file_transfer.client ws://127.0.0.1:8080/ send|fetch FILE ...`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from capnweb_runtime import connect
from examples.file_transfer.folder import PIECE, sha256_of
from examples.file_transfer.generated.file_transfer import FilesStub
from examples.file_transfer.schemas.file_transfer import Stored

Told = Callable[[int], None]


async def pieces_of(file: Path, offset: int = 0) -> AsyncIterator[bytes]:
    """The bytes of a file from an offset on. One piece is read when the one before it has left."""
    with file.open("rb", buffering=0) as opened:
        opened.seek(offset)
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


async def send(files: FilesStub, file: Path, on_progress: Told) -> Stored:
    """Send a file, or what is missing of it at the server.

    Parameters:
        files: where to.
        file: the file; at the server it has the same name.
        on_progress: told how many bytes the server has.
    """
    size, checksum = await asyncio.to_thread(lambda: (file.stat().st_size, sha256_of(file)))
    async with await files.upload(file.name, size) as upload:
        offset = await upload.offset
        on_progress(await upload.append(offset, pieces_of(file, offset), on_progress))
        return await upload.finish(checksum)


async def fetch(files: FilesStub, name: str, to: Path, on_progress: Told) -> Stored:
    """Fetch a file, or what is missing of it here, and check it.

    Parameters:
        files: where from.
        name: which one.
        to: where to. What is there already is taken for its beginning.
        on_progress: told how many bytes are here.

    Raises:
        ValueError: it is another one now; the checksums differ.
    """
    stored = await files.stat(name)
    with to.open("ab", buffering=0) as opened:
        offset = opened.tell()
        async with await files.download(name, offset) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(opened.write, piece)
                on_progress(opened.tell())
    if await asyncio.to_thread(sha256_of, to) != stored.sha256:
        raise ValueError(f"{to} is not what the server has as {name!r}")
    return stored


def ignore(_: int) -> None:
    """For those who do not want to know how far it is."""


def bars(console: Console) -> Progress:
    """Progress bars on a terminal, and nothing elsewhere."""
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def bar(progress: Progress, title: str, size: int) -> Told:
    """A bar of its own for one file: what to call with how many bytes are there."""
    task: TaskID = progress.add_task(title, total=size)
    return lambda done: progress.update(task, completed=done)


async def main(url: str, what: str, names: list[Path]) -> None:
    """Send or fetch files, all at a time."""
    async with connect(url, FilesStub) as files:
        with bars(Console()) as progress:
            transfers: list[Awaitable[Stored]] = []
            for file in names:
                size = file.stat().st_size if what == "send" else await files.stat(file.name).size
                told = bar(progress, file.name, size)
                transfers.append(send(files, file, told) if what == "send" else fetch(files, file.name, file, told))
            stored = await asyncio.gather(*transfers)
    for complete in stored:
        print(f"{complete.sha256}  {complete.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.file_transfer.client", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("what", choices=["send", "fetch"])
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    asyncio.run(main(options.url, options.what, options.files))
