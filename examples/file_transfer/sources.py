"""What is sent in the example and its tests: files of any size whose pieces all differ, and senders that go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

from examples.file_transfer.client import pieces_of

MIB = 1024 * 1024
_BLOCK = Random(7).randbytes(MIB)


def make(file: Path, size: int) -> Path:
    """Write a file of so many bytes. No two MiB of it are alike, so that none can be missing or there twice unseen."""
    with file.open("wb") as opened:
        for number in range(0, size, MIB):
            opened.write((number.to_bytes(8, "big") + _BLOCK[8:])[: size - number])
    return file


async def that_stops(file: Path, after: int) -> AsyncIterator[bytes]:
    """The bytes of a file, but for an error of the sender's disk once so many have been read."""
    async for piece in pieces_of(file):
        if after <= 0:
            raise ValueError("the sender cannot read on")
        after -= len(piece)
        yield piece


async def together(file: Path, half: int, barrier: asyncio.Barrier) -> AsyncIterator[bytes]:
    """The bytes of a file; before the piece at its half it waits for as many senders to be as far."""
    async for piece in pieces_of(file):
        if half == 0:
            await barrier.wait()
        half -= len(piece)
        yield piece
