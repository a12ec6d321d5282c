"""`python -m examples.file_server`: serves a temporary folder, reads it, writes it, and tries to get out of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from capnweb_runtime import connect
from examples.file_server.bad_input import bad_input
from examples.file_server.client import Cache, in_pieces, whole
from examples.file_server.generated.file_server import FileServerStub
from examples.file_server.schemas.file_server import Changed
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

PASSWORD = "correct horse"
FILES = 50
LINE = b"All is well.\n"


def furnish(folder: Path) -> None:
    """What is served, and a secret beside it, to which a link leads."""
    public = folder / "public"
    (public / "notes").mkdir(parents=True)
    (public / "readme.txt").write_bytes(b"Read me first.\n")
    for number in range(FILES):
        (public / "notes" / f"{number:02}.txt").write_bytes(LINE * 100)
    (folder / "secret.txt").write_text("nobody's business\n")
    (public / "link.txt").symlink_to(folder / "secret.txt")
    (public / "up").symlink_to(folder)
    os.mkfifo(public / "pipe")


async def file_server(report: Report) -> None:
    """Everything that the README claims."""
    with TemporaryDirectory() as folder:
        furnish(Path(folder))
        public = f"{folder}/public"
        async with started(
            *("examples.file_server.server", "--folder", public, "--password", PASSWORD, "--port", "0")
        ) as server:
            await reading(report, server.url)
            await cached(report, server.url)
            await writing(report, server.url)
            await bad_input(report, server.url, PASSWORD)


async def reading(report: Report, url: str) -> None:
    """Listing, streaming, ranges."""
    report.section("Reading")
    session = connect(url, FileServerStub)
    async with session as server:
        folder = server.reading()  # a promise: everything below is asked for at once
        entries = await folder.entries()
        report.check("entries", [entry.name for entry in entries], ["notes", "readme.txt"])
        text = await whole(folder.folder("notes").read("07.txt"))
        report.check("bytes of a file in a folder", len(text), 1_300)
        report.check("bytes 4 to 6 of a file", await whole(folder.read("readme.txt", 5, 2)), b"me")
        report.check("its last 7 bytes", await whole(folder.read("readme.txt", -7)), b"first.\n")


async def cached(report: Report, url: str) -> None:
    """What has not changed does not travel again."""
    report.section(f"{FILES} files, read again and again")
    session = connect(url, FileServerStub)
    async with session as server, await server.reading() as folder, await server.writing(PASSWORD) as writer:
        cache, names = Cache(folder), [f"notes/{number:02}.txt" for number in range(FILES)]
        await asyncio.gather(*map(cache.read, names))
        report.check("bytes of content the first time", cache.received, FILES * 1_300)
        cache.received, before = 0, session.stats().round_trips
        await asyncio.gather(*map(cache.read, names))
        report.check("bytes of content the second time", cache.received, 0)
        report.check("round trips for that", session.stats().round_trips - before, 1)
        await writer.write("notes/07.txt", in_pieces(b"changed"))
        again = await asyncio.gather(*map(cache.read, names))
        report.check("bytes of content after one was changed", cache.received, 7)
        report.check("which is what is read", again[7], b"changed")


async def writing(report: Report, url: str) -> None:
    """Files are replaced at once, and not by those who have not seen what they replace."""
    report.section("Writing")
    old, new = LINE * 100_000, b"short"
    async with connect(url, FileServerStub) as server, await server.writing(PASSWORD) as folder:
        first = await folder.write("news.txt", in_pieces(old), if_tag="")
        async with await folder.read("news.txt") as pieces:
            begun = await anext(pieces)
            await folder.write("news.txt", in_pieces(new), if_tag=first.tag)
            report.check("a reader that had begun gets the old file whole", begun + await whole(pieces) == old)
        report.check("the next one gets the new one", await whole(folder.read("news.txt")), new)
        late = folder.write("news.txt", in_pieces(b"lost update"), if_tag=first.tag)
        await report.refused("a writer that had seen the old one", late, Changed)


if __name__ == "__main__":
    run("file_server", file_server)
