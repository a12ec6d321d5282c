"""Starts the services of the mesh as processes: users, two instances of orders, and the gateway."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from examples.form.processes import Program, started
from examples.service_mesh.services import KEY


@dataclass
class Mesh:
    """The services that run.

    Parameters:
        folder: where they write what they keep and what was traced.
        stack: ends them.

    Attributes:
        orders: the instances of the service orders.
        gateway: the gateway.
    """

    folder: Path
    stack: AsyncExitStack
    orders: list[Program] = field(default_factory=list[Program])
    gateway: Program = field(init=False)
    _key: dict[str, str] = field(default_factory=lambda: {KEY: secrets.token_urlsafe()})

    async def begin(self, patience: float, rest: float) -> None:
        """Start all of them, those first that others need."""
        users, *self.orders = await asyncio.gather(
            self._start("users", "users.spans"), self.start_orders("a.spans"), self.start_orders("b.spans")
        )
        urls = [program.url for program in self.orders]
        places = ("--users", users.url, "--orders", *urls)
        times = ("--patience", str(patience), "--rest", str(rest))
        self.gateway = await self._start("gateway", "gateway.spans", *places, *times)

    async def start_orders(self, spans: str, port: int = 0) -> Program:
        """Start an instance of the service orders."""
        return await self._start("orders", spans, "--data", str(self.folder / "orders.sqlite"), port=port)

    async def replace_orders(self, number: int) -> int:
        """Stop an instance as a deployment does, and start another at its address. Returns its exit code."""
        before = self.orders[number]
        code = await before.stop()
        self.orders[number] = await self.start_orders(f"{number}.spans", before.port)
        return code

    async def _start(self, service: str, spans: str, *arguments: str, port: int = 0) -> Program:
        told = ("--port", str(port), "--spans", str(self.folder / spans), *arguments)
        return await self.stack.enter_async_context(started(f"examples.service_mesh.{service}", *told, env=self._key))


@asynccontextmanager
async def running(folder: Path, *, patience: float = 2.0, rest: float = 0.2) -> AsyncGenerator[Mesh]:
    """The mesh, in a folder of its own.

    Parameters:
        folder: an empty folder.
        patience: seconds that calls wait at the gateway for the service orders.
        rest: seconds that the gateway's breaker stays open.
    """
    async with AsyncExitStack() as stack:
        mesh = Mesh(folder, stack)
        await mesh.begin(patience, rest)
        yield mesh
