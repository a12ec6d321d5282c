"""Starts the services of the mesh: users, two instances of orders, and the gateway."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from examples.form.processes import Program
from examples.form.shared import Here, Servers
from examples.service_mesh.services import KEY


class Mesh:
    """The services that run.

    Parameters:
        folder: where they write what was traced.
        servers: starts them.
        stack: ends them.

    Attributes:
        orders: the instances of the service orders.
        gateway: the gateway.
    """

    orders: list[Program | Here]
    gateway: Program | Here

    def __init__(self, folder: Path, servers: Servers, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._servers = servers
        self._stack = stack

    async def start(self, service: str, spans: str, *arguments: str, port: int = 0) -> Program | Here:
        """Start a service, or an instance of one."""
        told = ("--spans", str(self.folder / spans), *arguments)
        started = self._servers.started(f"examples.service_mesh.{service}", *told, port=port)
        return await self._stack.enter_async_context(started)

    async def replace_orders(self, number: int) -> None:
        """Stop an instance as a deployment does, and start another at its address."""
        before = self.orders[number]
        code = await before.stop()
        assert code == 0, f"an instance of orders ended with exit code {code}"
        self.orders[number] = await self.start("orders", f"{number}.spans", port=before.port)


@asynccontextmanager
async def running(folder: Path, backplane: str, *, patience: float, rest: float) -> AsyncGenerator[Mesh]:
    """The mesh, in a folder of its own.

    Parameters:
        folder: an empty folder.
        backplane: what the services share; with `memory:` they are in this process.
        patience: seconds that calls wait at the gateway for the service orders.
        rest: seconds that the gateway's breaker stays open.
    """
    os.environ[KEY] = secrets.token_urlsafe()
    async with AsyncExitStack() as stack:
        mesh = Mesh(folder, Servers(backplane), stack)
        users, *mesh.orders = await asyncio.gather(
            mesh.start("users", "users.spans"), *(mesh.start("orders", f"{instance}.spans") for instance in "ab")
        )
        places = ("--users", users.url, "--orders", *(program.url for program in mesh.orders))
        times = ("--patience", str(patience), "--rest", str(rest))
        mesh.gateway = await mesh.start("gateway", "gateway.spans", *places, *times)
        yield mesh
