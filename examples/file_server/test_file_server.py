"""Nobody gets out of the folder, nobody writes who must not, and no descriptor stays open."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from capnweb_runtime import AnyStub
from capnweb_runtime.testing import PairFixture, Record
from examples.file_server.__main__ import LINE, PASSWORD, furnish
from examples.file_server.bad_input import LINKED, NOT_DOWNWARDS, too_much
from examples.file_server.client import Cache, in_pieces, whole
from examples.file_server.folders import PIECE
from examples.file_server.generated.file_server import FileServerStub
from examples.file_server.schemas.file_server import (
    Changed,
    NotFound,
    OutOfRange,
    OutsideFolder,
    TooLarge,
    WrongPassword,
)
from examples.file_server.server import FileServer
from examples.form.testing import as_documented


@pytest.fixture
def public(tmp_path: Path) -> Path:
    furnish(tmp_path)
    return tmp_path / "public"


def open_files() -> set[str]:
    """The files and folders that this process has open, of those that are served."""
    found: set[str] = set()
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208  (of which some are gone when they are looked at)
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{number}"))  # noqa: PTH115  (as above)
    return {path for path in found if "public" in path}


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def server(public: Path) -> Iterator[FileServer]:
    """The server, which leaves no descriptor open."""
    before = open_files()
    yield FileServer(str(public), PASSWORD)
    gc.collect()
    assert open_files() - before <= set(), "left open"


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("file_server")
    assert ran.number("bytes of content the first time") == 65_000
    assert ran.number("bytes of content the second time") == 0
    assert ran.number("round trips for that") == 1


@pytest.mark.capnweb(no_leaks=True)
async def test_listing_and_reading_take_one_round_trip(
    capnweb_pair: PairFixture, capnweb_calls: Record, public: Path
) -> None:
    async with capnweb_pair(FileServer(str(public), PASSWORD), FileServerStub) as files:
        async with files.reading() as folder:
            entries, note = await asyncio.gather(folder.entries(), whole(folder.folder("notes").read("00.txt")))
        assert capnweb_calls.round_trips == 1
    assert [(entry.name, entry.kind) for entry in entries] == [("notes", "folder"), ("readme.txt", "file")]
    assert note == LINE * 100


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, None, b"Read me first.\n"),
        (5, 2, b"me"),
        (-7, None, b"first.\n"),
        (-7, 5, b"first"),
        (-100, 4, b"Read"),
        (15, None, b""),
        (3, 0, b""),
        (8, 1000, b"first.\n"),
    ],
)
async def test_a_range_is_what_was_asked_for(
    capnweb_pair: PairFixture, server: FileServer, start: int, length: int | None, expected: bytes
) -> None:
    async with capnweb_pair(server, FileServerStub) as files:
        assert await whole(files.reading().read("readme.txt", start, length)) == expected


async def test_a_range_beyond_the_end_is_told_where_that_is(capnweb_pair: PairFixture, server: FileServer) -> None:
    async with capnweb_pair(server, FileServerStub) as files:
        with pytest.raises(OutOfRange) as caught:
            await whole(files.reading().read("readme.txt", 16))
        assert caught.value.size == 15
        with pytest.raises(TypeError, match="length"):
            await whole(files.reading().read("readme.txt", 0, -1))


@pytest.mark.parametrize("path", [*NOT_DOWNWARDS, "", "..", ".", "./readme.txt", "notes/", "\0", "notes/.."])
async def test_a_path_that_does_not_lead_downwards_is_refused_by_everything(
    capnweb_pair: PairFixture, server: FileServer, path: str
) -> None:
    async with capnweb_pair(server, FileServerStub) as files, await files.writing(PASSWORD) as folder:
        for call in (
            folder.content(path),
            whole(folder.read(path)),
            folder.write(path, in_pieces(b"x")),
            folder.remove(path),
            folder.make_folder(path),
        ):
            with pytest.raises(OutsideFolder):
                await call
        if path:
            with pytest.raises(OutsideFolder):
                await folder.folder(path)


@pytest.mark.parametrize("path", [*LINKED, "notes", "nothing", "readme.txt/x", "up/public/readme.txt"])
async def test_links_pipes_and_folders_are_no_files(capnweb_pair: PairFixture, server: FileServer, path: str) -> None:
    async with capnweb_pair(server, FileServerStub) as files:
        with pytest.raises(NotFound):
            await files.reading().content(path)


async def test_nothing_is_changed_through_a_link(capnweb_pair: PairFixture, server: FileServer, tmp_path: Path) -> None:
    async with capnweb_pair(server, FileServerStub) as files, await files.writing(PASSWORD) as folder:
        with pytest.raises(NotFound):
            await folder.write("up/secret.txt", in_pieces(b"x"))
        with pytest.raises(NotFound):
            await folder.remove("link.txt")
        with pytest.raises(NotFound):
            await folder.remove("up/secret.txt")
        await folder.write("link.txt", in_pieces(b"a file of its own"))  # in the place of the link
        assert await whole(folder.read("link.txt")) == b"a file of its own"
    assert (tmp_path / "secret.txt").read_text("utf-8") == "nobody's business\n"


async def test_a_folder_that_becomes_a_link_while_it_is_held_stays_what_it_was(
    capnweb_pair: PairFixture, server: FileServer, public: Path
) -> None:
    async with capnweb_pair(server, FileServerStub) as files, await files.reading().folder("notes") as notes:
        (public / "notes").rename(public / "old")
        (public / "notes").symlink_to(public.parent)
        assert await whole(notes.read("00.txt")) == LINE * 100
        with pytest.raises(NotFound):
            await notes.content("secret.txt")


async def test_who_may_read_has_no_way_to_write(capnweb_pair: PairFixture, server: FileServer) -> None:
    async with capnweb_pair(server, AnyStub) as files:
        for folder in (files.call("reading"), files.call("writing", PASSWORD).call("reading")):
            for method, *arguments in (("remove", "readme.txt"), ("make_folder", "x"), ("reading",)):
                with pytest.raises(TypeError, match=f"'{method}' is not a function of ReadFolder"):
                    await folder.call(method, *arguments)
                with pytest.raises(TypeError, match=f"'{method}' is not a function of ReadFolder"):
                    await folder.call("folder", "notes").call(method, *arguments)


async def test_a_folder_of_one_who_may_write_may_be_written(capnweb_pair: PairFixture, server: FileServer) -> None:
    async with capnweb_pair(server, FileServerStub) as files, await files.writing(PASSWORD) as folder:
        async with await folder.make_folder("new") as new:
            entry = await new.write("a.txt", in_pieces(b"a"))
        assert await folder.folder("new").entries() == [entry]
        await folder.remove("new/a.txt")
        await folder.remove("new")
        with pytest.raises(NotFound):
            await folder.folder("new")
        with pytest.raises(NotFound):
            await folder.write("notes", in_pieces(b"x"))
        with pytest.raises(WrongPassword):
            await files.writing("guess")


async def test_what_has_not_changed_does_not_travel(capnweb_pair: PairFixture, server: FileServer) -> None:
    async with capnweb_pair(server, FileServerStub) as files, await files.writing(PASSWORD) as folder:
        cache = Cache(folder)
        assert await cache.read("readme.txt") == await cache.read("readme.txt") == b"Read me first.\n"
        assert cache.received == 15
        await folder.write("readme.txt", in_pieces(b"Read me second"))
        await folder.write("readme.txt", in_pieces(b"Read me first.\n"))  # the same again is another version
        assert await cache.read("readme.txt") == b"Read me first.\n"
        assert cache.received == 30


async def test_content_that_nobody_reads_is_closed(capnweb_pair: PairFixture, server: FileServer) -> None:
    async with capnweb_pair(server, FileServerStub) as files:
        for _ in range(20):
            async with files.reading().content("readme.txt") as content:
                await content.entry
            async with await files.reading().read("notes/00.txt") as pieces:
                assert await anext(pieces)


async def test_of_two_writers_that_have_seen_the_same_file_one_is_told(
    capnweb_pair: PairFixture, server: FileServer
) -> None:
    async with capnweb_pair(server, FileServerStub) as files, await files.writing(PASSWORD) as folder:
        seen = await folder.content("readme.txt").entry.tag
        both = [folder.write("readme.txt", in_pieces(text * PIECE), if_tag=seen) for text in (b"a", b"b")]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert [type(result).__name__ for result in results].count("Changed") == 1
        with pytest.raises(Changed) as caught:
            await folder.write("never.txt", in_pieces(b"x"), if_tag="some")
        assert caught.value.tag == ""


async def test_a_writer_that_stops_leaves_nothing(capnweb_pair: PairFixture, public: Path) -> None:
    async def stops() -> AsyncIterator[bytes]:
        yield b"the beginning"
        raise ValueError("no more")

    before = names(public)
    server = FileServer(str(public), PASSWORD)
    async with capnweb_pair(server, FileServerStub) as files, await files.writing(PASSWORD) as folder:
        with pytest.raises(ValueError, match="no more"):
            await folder.write("readme.txt", stops())
        with pytest.raises(TooLarge):
            await folder.write("readme.txt", too_much())
        assert await whole(folder.read("readme.txt")) == b"Read me first.\n"
    assert names(public) == before
