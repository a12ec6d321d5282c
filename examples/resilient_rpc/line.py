"""What a client knows of its line: whether there is a session, as something that can be waited for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from capnweb_runtime import Connected, Reconnect
from examples.resilient_rpc.client import Prices
from examples.resilient_rpc.generated.resilient_rpc import ShopStub


class Line:
    """Connects again quickly, and subscribes to prices.

    Parameters:
        prices: what is subscribed to.
        chance: numbers from 0 up to 1.

    Attributes:
        is_up: set while there is a session.
        is_down: set while there is none.
    """

    def __init__(self, prices: Prices, chance: Callable[[], float] = random.random) -> None:
        self.is_up = asyncio.Event()
        self.is_down = asyncio.Event()
        self.policy = Reconnect(
            first=0.002, longest=0.02, on_connect=self._connected, on_disconnect=self._lost, random=chance
        )
        self._prices = prices

    async def _connected(self, shop: ShopStub, info: Connected) -> None:
        await self._prices.subscribe(shop, info)
        self.is_down.clear()
        self.is_up.set()

    def _lost(self, error: BaseException) -> None:
        self._prices.lost(error)
        self.is_up.clear()
        self.is_down.set()
