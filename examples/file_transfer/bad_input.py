"""What senders get that send what cannot be kept."""

from __future__ import annotations

from pathlib import Path

from capnweb_runtime import connect
from examples.file_transfer.client import ignore, pieces_of
from examples.file_transfer.generated.file_transfer import FilesStub
from examples.file_transfer.schemas.file_transfer import OutsideFolder, QuotaExceeded, SenderStopped, WrongChecksum
from examples.file_transfer.sources import MIB, make, that_stops
from examples.form.report import Report


async def bad_input(report: Report, url: str, here: Path) -> None:
    """Each is told, and the session goes on."""
    report.section("What bad input gets")
    file = make(here / "bad.bin", 2 * MIB)
    async with connect(url, FilesStub) as files:
        before = await files.names()
        await no_room(report, files, file)
        await not_the_file(report, files, file)
        await stopping(report, files, file)
        for name in ("../secret", "/etc/passwd", "a\0b", "cut.bin.part"):
            await report.refused(f"a file called {name!r}", files.upload(name, 1), OutsideFolder)
        report.check("none of this has made a file", await files.names() == before)


async def no_room(report: Report, files: FilesStub, file: Path) -> None:
    """The disk is as good as full."""
    error = await report.refused("a file of 1 TiB", files.upload("huge.bin", 1 << 40), QuotaExceeded)
    report.say(str(error).splitlines()[0])
    async with await files.upload(file.name, MIB) as upload:
        more = upload.append(0, pieces_of(file), ignore)
        await report.refused("a file that is longer than was announced", more, QuotaExceeded)
        report.check("bytes of it that are kept", await upload.offset, MIB)


async def not_the_file(report: Report, files: FilesStub, file: Path) -> None:
    """What has arrived is not what was sent."""
    async with await files.upload("changed.bin", 2 * MIB) as upload:
        await upload.append(0, pieces_of(file), ignore)
        await report.refused("a checksum of something else", upload.finish("0" * 64), WrongChecksum)
    async with await files.upload("changed.bin", 2 * MIB) as upload:
        report.check("it is sent again from byte", await upload.offset, 0)


async def stopping(report: Report, files: FilesStub, file: Path) -> None:
    """A sender that cannot go on."""
    async with await files.upload("stopped.bin", 2 * MIB) as upload:
        stopped = upload.append(0, that_stops(file, MIB), ignore)
        error = await report.refused("a sender that stops in the middle", stopped, SenderStopped)
        report.say(str(error).splitlines()[0])
        # What had been sent, less the pieces that waited to be written when it stopped.
        report.at_most("bytes of it that are kept", await upload.offset, MIB)
