"""Starts the services of the mesh: users, two instances of orders, and the gateway."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from capnweb_runtime.scale import Backplane, TopicEvent, TopicSubscription
from examples.form.processes import Program
from examples.form.shared import Here, Servers
from examples.service_mesh.services import KEY
from examples.service_mesh.traces import Span, spans


@dataclass
class Mesh:
    """The services that run.

    Parameters:
        servers: starts them.
        stack: ends them.
        backplane: what they share.
        spans: what they have traced.

    Attributes:
        orders: the instances of the service orders.
        gateway: the gateway.
    """

    servers: Servers
    stack: AsyncExitStack
    backplane: Backplane
    spans: TopicSubscription[Span]
    orders: list[Program | Here] = field(init=False)
    gateway: Program | Here = field(init=False)
    _traced: list[Span] = field(default_factory=list[Span])

    async def start(self, service: str, *arguments: str, port: int = 0) -> Program | Here:
        """Start a service, or an instance of one."""
        started = self.servers.started(f"examples.service_mesh.{service}", *arguments, port=port)
        return await self.stack.enter_async_context(started)

    async def replace_orders(self, number: int) -> None:
        """Stop an instance as a deployment does, and start another at its address."""
        before = self.orders[number]
        code = await before.stop()
        assert code == 0, f"an instance of orders ended with exit code {code}"
        self.orders[number] = await self.start("orders", port=before.port)

    async def trace(self, root: str, number: int) -> list[Span]:
        """The spans of the trace that begins with a span, once there are so many."""
        while True:
            begun = {span.trace for span in self._traced if span.title == root}
            found = [span for span in self._traced if span.trace in begun]
            if len(found) >= number:
                return found
            item = await anext(self.spans)
            assert isinstance(item, TopicEvent)
            self._traced.append(item.data)


@asynccontextmanager
async def running(backplane: str, *, patience: float, rest: float) -> AsyncGenerator[Mesh]:
    """The mesh.

    Parameters:
        backplane: what the services share; with `memory:` they are in this process.
        patience: seconds that calls wait at the gateway for the service orders.
        rest: seconds that the gateway's breaker stays open.
    """
    os.environ[KEY] = secrets.token_urlsafe()
    servers = Servers(backplane)
    async with servers.backplane() as shared, spans(shared).subscribe() as traced, AsyncExitStack() as stack:
        mesh = Mesh(servers, stack, shared, traced)
        users, *mesh.orders = await asyncio.gather(*(mesh.start(service) for service in ("users", "orders", "orders")))
        places = ("--users", users.url, "--orders", *(program.url for program in mesh.orders))
        mesh.gateway = await mesh.start("gateway", *places, "--patience", str(patience), "--rest", str(rest))
        yield mesh
