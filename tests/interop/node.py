"""Programs of this folder in Node: servers that run while a test runs, and clients that run to their end."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PATIENCE = 30
"""Seconds after which a program that says nothing is taken for hung."""


@dataclass(slots=True)
class Program:
    """A running Node program that is talked to by lines."""

    process: Process

    async def line(self) -> str:
        """Return the next line of its output; an empty string once it has ended."""
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)).decode().rstrip("\n")

    async def expect(self, *lines: str) -> None:
        """Read as many lines as are given, in any order, and assert that they are these."""
        assert sorted([await self.line() for _ in lines]) == sorted(lines)

    async def tell(self, line: str) -> None:
        """Write one line to its input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def rest(self) -> list[str]:
        """Wait for its end and return the lines that are left."""
        output, _ = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        return output.decode().splitlines()


@asynccontextmanager
async def program(name: str, *arguments: str, flags: Sequence[str] = ()) -> AsyncIterator[Program]:
    """Run ``node flags name arguments`` in this folder while the block runs; a failing test shows what it says on
    stderr.
    """
    process = await asyncio.create_subprocess_exec(
        "node", *flags, name, *arguments, cwd=FOLDER, stdin=PIPE, stdout=PIPE
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def accounts_server() -> AsyncIterator[tuple[Program, int]]:
    """Serve schemas/accounts.py by the npm package; yield the program and its port."""
    async with program("accounts_server.mjs") as server:
        word, port = (await server.line()).split()
        assert word == "listening"
        yield server, int(port)
