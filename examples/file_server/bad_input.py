"""What those get who want what is not theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from capnweb_runtime import AnyStub, connect
from examples.file_server.client import in_pieces, whole
from examples.file_server.folders import LARGEST
from examples.file_server.generated.file_server import FileServerStub
from examples.file_server.schemas.file_server import NotFound, OutOfRange, OutsideFolder, TooLarge, WrongPassword
from examples.form.report import Report

NOT_DOWNWARDS = ("../secret.txt", "notes/../../secret.txt", "/etc/passwd", "notes//00.txt", "readme.txt\0.png", ".git")
LINKED = ("link.txt", "up/secret.txt", "pipe")


async def bad_input(report: Report, url: str, password: str) -> None:
    """Ways out of the folder, and ways to write without being allowed to."""
    report.section("Ways out of the folder")
    async with connect(url, FileServerStub) as server, await server.reading() as reader:
        for path in NOT_DOWNWARDS:
            await report.refused(repr(path), reader.content(path), OutsideFolder)
        for path in LINKED:
            await report.refused(f"{path!r}, which leads elsewhere", reader.content(path), NotFound)
        async with await reader.folder("notes") as notes:
            up = notes.content("../readme.txt")
            await report.refused("'../readme.txt', of a folder within the folder", up, OutsideFolder)
        beyond = await report.refused("bytes beyond the end", whole(reader.read("readme.txt", 100)), OutOfRange)
        report.check("where the file ends", beyond.size, 15)
    report.section("Ways to write")
    async with connect(url, FileServerStub) as server:
        await report.refused("a wrong password", server.writing("guess"), WrongPassword)
        async with await server.writing(password) as writer:
            await report.refused("a file that is too large", writer.write("large", too_much()), TooLarge)
            await report.refused("a file outside", writer.write("../x", in_pieces(b"x")), OutsideFolder)
            entries = [entry.name for entry in await writer.entries()]
            report.check("what is left of them", entries, ["news.txt", "notes", "readme.txt"])
    async with connect(url, AnyStub) as untyped:  # a client that knows no schema, and tries
        for what, folder in (
            ("the folder to read", untyped.call("reading")),
            ("the folder to read, of one who may write", untyped.call("writing", password).call("reading")),
        ):
            error = await report.refused(f"remove() of {what}", folder.call("remove", "readme.txt"), TypeError)
            report.say(str(error).splitlines()[0])


async def too_much() -> AsyncIterator[bytes]:
    """More than a file may have."""
    for _ in range(LARGEST // 1_000_000 + 2):
        yield bytes(1_000_000)
