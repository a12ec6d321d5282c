"""Servers that share a backplane: all in this process where it is in memory, else each in a process of its own.

Rule: a module with such a server has `PARSER`, its `options`, and `serving(told, backplane)`, an async context manager
that serves as they say; and it ends with `main(PARSER, serving)`.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module

from capnweb_runtime import Server
from capnweb_runtime.scale import Backplane, MemoryBackplane, MemoryStore, open_backplane
from examples.form.processes import Program, started

Serving = Callable[[argparse.Namespace, Backplane], AbstractAsyncContextManager[Server]]

GRACE = 5.0
"""Seconds that calls in progress have when a server is told to stop."""


def options(module: str, description: str | None) -> argparse.ArgumentParser:
    """The options that all such servers have."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--backplane", default="memory:", help="what servers share (default: %(default)s)")
    parser.add_argument("--name", default="capnweb", help="of what is theirs in an engine (default: %(default)s)")
    return parser


def main(parser: argparse.ArgumentParser, serving: Serving) -> None:
    """A whole program: serves until a signal, and then until the calls in progress have their answers."""

    async def run(told: argparse.Namespace) -> None:
        async with (
            open_backplane(told.backplane, name=told.name) as backplane,
            serving(told, backplane) as server,
        ):
            print("serving", server.url, flush=True)
            await server.run(grace=GRACE)

    asyncio.run(run(parser.parse_args()))


class Here:
    """A server in this process; as far as a `Program` can be replaced by one.

    Attributes:
        url: where it is.
    """

    def __init__(self, server: Server, life: AsyncExitStack) -> None:
        self.url = server.url
        self.port = server.port
        self._server = server
        self._life = life

    async def stop(self) -> int:
        """Ask it to end, and wait."""
        await self._server.drain(GRACE)
        await self._life.aclose()
        return 0

    async def kill(self) -> int:
        """End it without waiting for calls in progress."""
        await self._life.aclose()
        return 0


class Servers:
    """Starts servers that share a backplane, which nobody else uses.

    Parameters:
        backplane: its URL.
    """

    def __init__(self, backplane: str) -> None:
        self._backplane = backplane
        self._name = f"example-{secrets.token_hex(4)}"
        self._store = MemoryStore()

    def backplane(self) -> Backplane:
        """What they share, for one more who does."""
        in_memory = self._backplane == "memory:"
        return MemoryBackplane(self._store) if in_memory else open_backplane(self._backplane, name=self._name)

    @asynccontextmanager
    async def started(self, module: str, *arguments: str, port: int = 0) -> AsyncGenerator[Program | Here]:
        """One of them, which is ended with the block, if it is not before.

        Parameters:
            module: where it is.
            arguments: for it.
            port: 0 is any that is free.
        """
        told = ("--port", str(port), "--backplane", self._backplane, "--name", self._name, *arguments)
        if self._backplane != "memory:":
            async with started(module, *told) as program:
                yield program
            return
        there = import_module(module)
        serving: Serving = there.serving
        parser: argparse.ArgumentParser = there.PARSER
        async with AsyncExitStack() as life:
            shared = await life.enter_async_context(self.backplane())
            yield Here(await life.enter_async_context(serving(parser.parse_args(told), shared)), life)
