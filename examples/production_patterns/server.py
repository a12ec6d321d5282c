"""The shop: `python -m examples.production_patterns.server --port 8080 --database shop.sqlite --rates ws://...`."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Annotated

from annotated_types import MaxLen

from capnweb_runtime import Limits, Serving, connect, serve
from capnweb_runtime.health import Check, Health
from capnweb_runtime.schema import SturdyRef
from examples.production_patterns.generated.production import RatesStub, ShopApiTarget, UserApiTarget
from examples.production_patterns.monitor import Monitor
from examples.production_patterns.prices import Cache, Prices
from examples.production_patterns.resilience import Breaker, Retry
from examples.production_patterns.schemas.production import Grant, Price, RenewalApi, Settings, UserApi
from examples.production_patterns.sessions import Logins, Renewal, hashed
from examples.production_patterns.store import Store

LIMITS = Limits(message_size=64 * 1024, calls=50, held_bytes=4 * 1024 * 1024)
"""What one session may ask of the server: far more than the shop's own clients do."""
PASSWORDS = {"ada": (b"salt of ada", hashed("lovelace", b"salt of ada"))}


class Shop(ShopApiTarget):
    """What anybody gets."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    async def log_in(self, user: str, password: str) -> Grant:
        return await self._logins.log_in(user, password)

    async def enter(self, access: SturdyRef[UserApi]) -> UserApiTarget:
        return await self._logins.enter(access)

    async def renewal(self, renewal: SturdyRef[RenewalApi]) -> Renewal:
        return await self._logins.renewal(renewal)

    async def log_out(self, access: SturdyRef[UserApi]) -> None:
        await self._logins.log_out(access)


class User(UserApiTarget):
    """What a user gets who is logged in."""

    def __init__(self, name: str, store: Store, prices: Prices) -> None:
        self._name = name
        self._store = store
        self._prices = prices

    async def settings(self) -> Settings:
        return await asyncio.to_thread(self._store.settings, self._name)

    async def save(self, settings: Settings) -> None:
        await asyncio.to_thread(self._store.save, self._name, settings)

    async def note(self, text: Annotated[str, MaxLen(200)]) -> int:
        return await asyncio.to_thread(self._store.add_note, self._name, text)

    async def price(self, item: str, currency: str) -> Price:
        return await self._prices.price(item, currency)


class Application:
    """The service without its port.

    Parameters:
        store: where state is kept.
        rates: who knows the rates of exchange.
        breaker: stands before them.
        key: signs tokens.
        clock: the time in seconds since 1970.
    """

    def __init__(
        self, store: Store, rates: RatesStub, breaker: Breaker, key: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        self.monitor = Monitor()
        self.breaker = breaker
        self.prices = Prices(rates, Cache(60.0, clock, Random(1)))
        self._logins = Logins(key, store, PASSWORDS, lambda user: User(user, store, self.prices), clock)

    def serving(self, port: int) -> Serving:
        """What serves it, once it is entered."""
        rates = Check("rates", lambda: not self.breaker.is_open, required=False)
        return serve(
            lambda peer: Shop(self._logins),
            "127.0.0.1",
            port,
            limits=LIMITS,
            interceptors=[self.monitor],
            health=Health(alive="/healthz", ready="/readyz", checks=[rates], max_age=0),
        )


async def main(port: int, database: Path, rates: str, key: bytes) -> None:
    """Serve until a signal."""
    breaker, retry = Breaker(3, 30.0, time.monotonic), Retry()
    async with (
        connect(rates, RatesStub, interceptors=[breaker, retry]) as upstream,
        Application(Store(database), upstream, breaker, key).serving(port) as server,
    ):
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.production_patterns.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--database", type=Path, default=Path("shop.sqlite"), help="a file (default: %(default)s)")
    parser.add_argument("--rates", required=True, metavar="URL", help="the server of the rates of exchange")
    parser.add_argument("--key", required=True, metavar="FILE", type=Path, help="holds 32 bytes that sign tokens")
    told = parser.parse_args()
    asyncio.run(main(told.port, told.database, told.rates, told.key.read_bytes()))
