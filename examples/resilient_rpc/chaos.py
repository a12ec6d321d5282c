"""Calls of three kinds over a line that is cut at every place, in an order that a seed decides.

Rule: what is reported is counted from what happened: what callers got, how often a call was sent, and what stands in
the ledger.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from capnweb_runtime import CallInfo, Proceed, connect
from examples.resilient_rpc.client import Prices, Unknown, drawn
from examples.resilient_rpc.generated.resilient_rpc import ShopStub
from examples.resilient_rpc.line import Line
from examples.resilient_rpc.proxy import Place, Proxy
from examples.resilient_rpc.shop import ShopProcess

Kind = Literal["price", "order", "draw"]
KINDS: tuple[Kind, ...] = ("price", "order", "draw")
Outcome = Literal["answered", "repeated", "unknown"]
TIMES = 5
"""How often each kind of call meets each place. The server is killed once for each kind: it takes time to start."""


@dataclass
class Chaos:
    """What happened.

    Attributes:
        outcomes: how often what came of which call, cut where.
        ordered: keys of the orders that were answered.
        drawn: customers whose draw was answered.
        unknown: customers who cannot know.
        sessions: sessions that it took.
    """

    outcomes: Counter[tuple[Kind, Place, Outcome]] = field(default_factory=Counter[tuple[Kind, Place, Outcome]])
    ordered: list[str] = field(default_factory=list[str])
    drawn: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    sessions: int = 0
    _sent: Counter[str] = field(default_factory=Counter[str])

    async def count(self, call: CallInfo, proceed: Proceed) -> Any:
        """An interceptor: it is passed each time that a call is sent."""
        self._sent[call.name] += 1
        return await proceed(call)

    async def call(self, shop: ShopStub, kind: Kind, number: int) -> Outcome:
        """Makes a call, and says what came of it."""
        self._sent.clear()
        name = f"{kind} {number}"
        match kind:
            case "price":
                assert await shop.price("lamp") > 0
            case "order":
                await shop.order(name, "lamp")
                self.ordered.append(name)
            case "draw":
                if isinstance(await drawn(shop, name), Unknown):
                    self.unknown.append(name)
                    return "unknown"
                self.drawn.append(name)
        return "answered" if self._sent[f"Shop.{kind}"] == 1 else "repeated"

    async def step(self, shop: ShopStub, line: Line, proxy: Proxy, kind: Kind, place: Place, number: int) -> None:
        """One call, with the line cut at a place."""
        if place is Place.IDLE:
            await line.is_up.wait()
            proxy.cut()
            await line.is_down.wait()
        proxy.arm(place, kind)
        self.outcomes[kind, place, await self.call(shop, kind, number)] += 1

    def total(self, outcome: Outcome, *, kind: Kind | None = None, place: Place | None = None) -> int:
        """How many calls had an outcome."""
        return sum(
            count
            for (one, at, came), count in self.outcomes.items()
            if came == outcome and kind in {None, one} and place in {None, at}
        )


async def run_chaos(server: ShopProcess, proxy: Proxy, prices: Prices, seed: int, times: int = TIMES) -> Chaos:
    """Makes every kind of call meet every place, in the order that the seed gives."""
    chaos, chance = Chaos(), random.Random(seed)
    steps: list[tuple[Kind, Place]] = [
        (kind, place) for kind in KINDS for place in Place for _ in range(1 if place is Place.RESTART else times)
    ]
    chance.shuffle(steps)
    proxy.end_server = server.kill
    line = Line(prices, chance.random)
    client = connect(proxy.url, ShopStub, interceptors=[chaos.count], reconnect=line.policy)
    async with client as shop:
        for number, (kind, place) in enumerate(steps):
            async with asyncio.TaskGroup() as group:
                group.create_task(chaos.step(shop, line, proxy, kind, place, number))
                if place is Place.RESTART:
                    group.create_task(server.again())
        chaos.sessions = client.sessions
    return chaos
