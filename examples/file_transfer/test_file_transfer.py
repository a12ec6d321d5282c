"""Files arrive whole, or the sender is told why not; and nothing is sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from capnweb_runtime import ConnectionLost, RpcError
from capnweb_runtime.testing import Faults, PairFixture
from examples.file_transfer.__main__ import file_transfer
from examples.file_transfer.client import bar, bars, fetch, ignore, pieces_of, send
from examples.file_transfer.folder import PIECE, Folder, sha256_of
from examples.file_transfer.generated.file_transfer import FilesStub
from examples.file_transfer.schemas.file_transfer import (
    NoSuchFile,
    OutsideFolder,
    QuotaExceeded,
    SenderStopped,
    Superseded,
    WrongChecksum,
)
from examples.file_transfer.server import Files
from examples.file_transfer.sources import MIB, make, that_stops
from examples.form.report import Report, plain_console
from examples.form.testing import as_documented

SIZE = 3 * MIB + 17


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "server"
    path.mkdir()
    return Folder(path, 8 * MIB)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make(tmp_path / "a.bin", SIZE)


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("file_transfer")
    assert ran.number("bytes at the server") == 128 * MIB
    assert ran.number("the client has grown by") <= 48
    assert ran.number("the server has grown by") <= 48
    assert ran.number("it goes on at byte") == 16 * MIB


@pytest.mark.slow
async def test_twice_as_much_takes_no_more_memory() -> None:
    report = Report()
    await file_transfer(256, report)
    assert report.checked > 20
    assert report.broken == []


@pytest.mark.capnweb(no_leaks=True)
async def test_a_file_goes_up_and_comes_back(
    capnweb_pair: PairFixture, folder: Folder, file: Path, tmp_path: Path
) -> None:
    up: list[int] = []
    down: list[int] = []
    async with capnweb_pair(Files(folder), FilesStub) as files:
        stored = await send(files, file, up.append)
        assert stored == await fetch(files, "a.bin", tmp_path / "back", down.append)
        assert await files.names() == ["a.bin"]
    assert (stored.size, stored.sha256) == (SIZE, sha256_of(tmp_path / "back"))
    assert up == [MIB, 2 * MIB, 3 * MIB, SIZE]
    assert down == [*range(PIECE, 3 * MIB + 1, PIECE), SIZE]
    assert [entry.name for entry in folder.path.iterdir()] == ["a.bin"]
    assert not folder.places


async def test_an_empty_file_is_a_file(capnweb_pair: PairFixture, folder: Folder, tmp_path: Path) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files:
        assert (await send(files, make(tmp_path / "empty", 0), ignore)).size == 0
        await fetch(files, "empty", tmp_path / "back", ignore)
    assert (tmp_path / "back").read_bytes() == b""


@pytest.mark.parametrize("after", [0, 100_000, 1_000_000, 2_000_000, 3_000_000])
async def test_wherever_the_line_is_cut_the_upload_goes_on_and_every_byte_is_sent_once(
    capnweb_pair: PairFixture, folder: Folder, file: Path, after: int
) -> None:
    faults = Faults()
    async with capnweb_pair(Files(folder), FilesStub, faults=faults) as files:
        upload = await files.upload("a.bin", SIZE)
        faults.to_server.cut_after(after)
        with pytest.raises(ConnectionLost):
            await upload.append(0, pieces_of(file), ignore)
    async with capnweb_pair(Files(folder), FilesStub) as files:
        async with await files.upload("a.bin", SIZE) as upload:
            kept = await upload.offset
            assert kept <= after
        stored = await send(files, file, ignore)
    assert stored.sha256 == sha256_of(file)


async def test_a_download_that_was_cut_off_goes_on(
    capnweb_pair: PairFixture, folder: Folder, file: Path, tmp_path: Path
) -> None:
    back = make(tmp_path / "back", 1_000_000)  # which is how the file begins
    told: list[int] = []
    async with capnweb_pair(Files(folder), FilesStub) as files:
        await send(files, file, ignore)
        await fetch(files, "a.bin", back, told.append)
    assert told[0] == 1_000_000 + PIECE
    assert sha256_of(back) == sha256_of(file)


async def test_a_download_of_another_file_than_before_is_noticed(
    capnweb_pair: PairFixture, folder: Folder, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "back").write_bytes(b"the beginning of something else")
    async with capnweb_pair(Files(folder), FilesStub) as files:
        await send(files, file, ignore)
        with pytest.raises(ValueError, match="is not what the server has as"):
            await fetch(files, "a.bin", tmp_path / "back", ignore)


async def test_a_sender_that_stops_is_told_how_much_is_kept_and_nothing_looks_complete(
    capnweb_pair: PairFixture, folder: Folder, file: Path
) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files:
        async with await files.upload("a.bin", 4 * MIB) as upload:
            with pytest.raises(SenderStopped, match="the sender cannot read on") as caught:
                await upload.append(0, that_stops(file, 2 * MIB), ignore)
            assert caught.value.kept == await upload.offset == 2 * MIB
        assert await files.names() == []
        with pytest.raises(NoSuchFile):
            await files.stat("a.bin")


async def test_a_disk_that_is_full_is_told_before_anything_is_sent(
    capnweb_pair: PairFixture, folder: Folder, file: Path
) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files:
        await send(files, file, ignore)
        first = await files.upload("b.bin", 4 * MIB)  # what is announced counts
        with pytest.raises(QuotaExceeded) as caught:
            await files.upload("c.bin", 2 * MIB)
        assert caught.value.free == 8 * MIB - SIZE - 4 * MIB
        first.dispose()
        async with await files.upload("c.bin", 2 * MIB):
            pass
    assert not folder.places


async def test_no_more_is_kept_than_was_announced(capnweb_pair: PairFixture, folder: Folder, file: Path) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files, await files.upload("a.bin", MIB) as upload:
        with pytest.raises(QuotaExceeded, match="1,048,576 bytes were announced"):
            await upload.append(0, pieces_of(file), ignore)
        assert await upload.offset == MIB


async def test_what_has_another_checksum_is_thrown_away(capnweb_pair: PairFixture, folder: Folder, file: Path) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files, await files.upload("a.bin", 4 * MIB) as upload:
        await upload.append(0, pieces_of(file), ignore)
        with pytest.raises(WrongChecksum) as caught:
            await upload.finish("0" * 64)
        assert caught.value.actual == sha256_of(file)
        assert await upload.offset == 0
        assert await files.names() == []


async def test_pieces_go_where_the_file_ends_and_nowhere_else(
    capnweb_pair: PairFixture, folder: Folder, file: Path
) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files, await files.upload("a.bin", 4 * MIB) as upload:
        with pytest.raises(ValueError, match="goes on at 0, not at 5"):
            await upload.append(5, pieces_of(file), ignore)
        with pytest.raises(TypeError, match="argument 'offset'"):
            await upload.append(-1, pieces_of(file), ignore)


async def test_the_later_of_two_senders_of_a_file_has_it(capnweb_pair: PairFixture, folder: Folder, file: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        async for piece in pieces_of(file):
            yield piece
            begun.set()
            await go_on.wait()

    async with capnweb_pair(Files(folder), FilesStub) as files:
        async with await files.upload("a.bin", 4 * MIB) as first:
            sending = asyncio.ensure_future(first.append(0, slowly(), ignore))
            await begun.wait()
            stored = await send(files, file, ignore)
            go_on.set()
            with pytest.raises(Superseded):
                await sending
        assert stored.sha256 == sha256_of(folder.complete("a.bin")) == sha256_of(file)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", "/etc/passwd", "..\\a", "C:\\a", "a\0", "a.part", "%2e%2e/a"]
)
async def test_a_name_that_leads_out_of_the_folder_is_refused(
    capnweb_pair: PairFixture, folder: Folder, name: str
) -> None:
    async with capnweb_pair(Files(folder), FilesStub) as files:
        with pytest.raises(OutsideFolder):
            await files.upload(name, 1)
        with pytest.raises(OutsideFolder):
            await files.stat(name)
        with pytest.raises(OutsideFolder):
            _ = [piece async for piece in files.download(name)]
    assert list(folder.path.iterdir()) == []


async def test_a_link_out_of_the_folder_is_no_file(capnweb_pair: PairFixture, folder: Folder, file: Path) -> None:
    (folder.path / "link").symlink_to(file)
    async with capnweb_pair(Files(folder), FilesStub) as files:
        with pytest.raises(NoSuchFile):
            await files.stat("link")


async def test_progress_is_shown_on_a_terminal_and_a_pipe_gets_none_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    console = plain_console()
    with bars(console) as progress:
        bar(progress, "up", 100)(50)
        assert progress.tasks[0].percentage == 50
    assert capsys.readouterr().out == ""


async def test_a_callback_that_fails_ends_the_upload_and_what_is_kept_stays(
    capnweb_pair: PairFixture, folder: Folder, file: Path
) -> None:
    def fails(_: int) -> None:
        raise LookupError("no bar")

    async with capnweb_pair(Files(folder), FilesStub) as files, await files.upload("a.bin", 4 * MIB) as upload:
        with pytest.raises((LookupError, RpcError), match="no bar"):
            await upload.append(0, pieces_of(file), fails)
        assert await upload.offset == MIB
