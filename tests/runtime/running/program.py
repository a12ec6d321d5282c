"""`python -m capnweb_runtime serve` as tests run it: a process, or several, of which none outlives the test."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
APP = """
import asyncio, os
from tests.runtime.transports.example_api import Example

opened = asyncio.Event()

class Served(Example):
    async def wait(self, gate):
        print("called", flush=True)
        await opened.wait()
        return gate

    def echo(self, value):
        if value == "open":
            opened.set()
        return os.getpid()

    def dispose(self):
        print("disposed", flush=True)

def front(peer):
    return Served()

number = 7
"""


class Program:
    """A server in a process of its own, or in several."""

    def __init__(self, process: Process, said: str) -> None:
        self.process = process
        self.said = said
        self.url = re.findall(r"ws\S+", said)[0]

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().rstrip()

    async def rest(self) -> tuple[int | None, set[str], str]:
        """Exit code, what else it printed, and what stands on its standard error."""
        out, err = await self.process.communicate()
        return self.process.returncode, {*out.decode().split()}, err.decode()


async def started(folder: Path, *arguments: str, app: str = APP, **environment: str) -> Process:
    (folder / "app.py").write_text(app, "utf-8")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "capnweb_runtime", "serve", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=PIPE,
        stderr=PIPE,
    )


@asynccontextmanager
async def program(
    folder: Path, *arguments: str, port: str | None = "0", app: str = APP, **environment: str
) -> AsyncIterator[Program]:
    """One that serves."""
    process = await started(folder, *arguments, *(() if port is None else ("--port", port)), app=app, **environment)
    try:
        async with asyncio.timeout(60):
            yield await serving(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def serving(process: Process) -> Program:
    """A process, once it says that it serves."""
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode().rstrip()
    assert said.startswith("serving "), await process.communicate()
    return Program(process, said)


async def failed(folder: Path, *arguments: str, app: str = APP) -> tuple[int | None, str]:
    """Exit code and the last line of a program that cannot serve."""
    process = await started(folder, *arguments, app=app)
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert out == b""
    assert b"Traceback" not in err
    return process.returncode, err.decode().splitlines()[-1]
