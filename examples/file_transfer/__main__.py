"""`python -m examples.file_transfer [--size MIB]`: sends files to servers in processes of their own, and fetches them.

--size says how large the large file is.
"""

from __future__ import annotations

import argparse
import asyncio
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from capnweb_runtime import ConnectionLost, connect
from examples.file_transfer.bad_input import bad_input
from examples.file_transfer.client import Told, bar, bars, fetch, ignore, pieces_of, send
from examples.file_transfer.folder import PIECE, sha256_of
from examples.file_transfer.generated.file_transfer import FilesStub
from examples.file_transfer.sources import MIB, make, together
from examples.form.growth import Growth
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run

GROWN = 48
"""MiB by which each process may grow, whatever the size of the file."""
CUT = 32 * MIB
"""Bytes of the file whose upload is cut off at the half."""


async def file_transfer(size: int, report: Report) -> None:
    """Everything that the README claims."""
    with TemporaryDirectory() as ours, TemporaryDirectory() as theirs:
        here = Path(ours)
        server = ["examples.file_transfer.server", "--folder", theirs, "--port", "0"]
        server += ["--quota", str((size + 64) * MIB)]
        async with started(*server) as first:
            await up_and_down(report, first, here, size)
            await at_once(report, first.url, here)
            await cut(report, first, here)
        async with started(*server) as second:
            await resumed(report, second.url, here)
            await bad_input(report, second.url, here)


async def up_and_down(report: Report, server: Program, here: Path, size: int) -> None:
    """A large file each way, with bars on a terminal."""
    report.section(f"{size} MiB up and down")
    file, back = make(here / "large.bin", size * MIB), here / "back.bin"
    growth = Growth(server.process.pid)
    async with connect(server.url, FilesStub) as files:
        with bars(report.console) as progress:
            stored = await send(files, file, seen_by(growth, bar(progress, "up", size * MIB)))
            report.check("times that the sender was told how far it is", growth.looks, size + 1)
            await fetch(files, file.name, back, seen_by(growth, bar(progress, "down", size * MIB)))
    report.check("bytes at the server", stored.size, size * MIB)
    report.check(
        "what was sent, what is stored and what came back has the same sha256", sha256_of(back) == stored.sha256
    )
    report.at_most("the client has grown by", growth.here, GROWN, "MiB")
    report.at_most("the server has grown by", growth.there, GROWN, "MiB")


def seen_by(growth: Growth, told: Told) -> Told:
    """Look at the memory whenever there is progress."""

    def look(done: int) -> None:
        growth.look()
        told(done)

    return look


async def at_once(report: Report, url: str, here: Path) -> None:
    """Several files at a time in one session."""
    report.section("Four files of 2 MiB at a time, in one session")
    barrier = asyncio.Barrier(4)

    async def one(files: FilesStub, file: Path) -> bool:
        async with await files.upload(file.name, 2 * MIB) as upload:
            await upload.append(0, together(file, MIB, barrier), ignore)
            return (await upload.finish(sha256_of(file))).size == 2 * MIB

    async with connect(url, FilesStub) as files:
        done = await asyncio.gather(*(one(files, make(here / f"{number}.bin", 2 * MIB)) for number in range(4)))
        report.check("each was half sent before any went on, and all are complete", done, [True] * 4)
        names = await files.names()
        report.check("files at the server", names, ["0.bin", "1.bin", "2.bin", "3.bin", "large.bin"])


async def cut(report: Report, server: Program, here: Path) -> None:
    """The server is killed while it receives."""
    report.section("kill -9 of the server, when it has half of 32 MiB")
    file = make(here / "cut.bin", CUT)

    async def kill(kept: int) -> None:
        if kept == CUT // 2:
            await server.kill()

    async with connect(server.url, FilesStub) as files:
        upload = await files.upload(file.name, CUT)
        await report.refused("the upload", upload.append(0, pieces_of(file), kill), ConnectionLost)


async def resumed(report: Report, url: str, here: Path) -> None:
    """Another server, the same folder: both directions go on where they were."""
    file, again = here / "cut.bin", here / "again.bin"
    told: list[int] = []
    async with connect(url, FilesStub) as files:
        report.check("the next server has no file of that name", file.name not in await files.names())
        async with await files.upload(file.name, CUT) as upload:
            report.check("it goes on at byte", await upload.offset, CUT // 2)
        stored = await send(files, file, told.append)
        expected = [*range(CUT // 2 + MIB, CUT + 1, MIB), CUT]
        report.check("of the other half, every MiB was sent once", told == expected)
        report.check("its sha256 is that of the file", stored.sha256 == sha256_of(file))
        again.write_bytes(file.read_bytes()[: CUT // 4])
        told.clear()
        await fetch(files, file.name, again, told.append)
        report.check("a download that was cut off goes on after byte", told[0] - PIECE, CUT // 4)
        report.check("and gives the same file", sha256_of(again) == stored.sha256)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.file_transfer", description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="MiB of the large file (default: %(default)s)")
    run("file_transfer", partial(file_transfer, parser.parse_args().size))
