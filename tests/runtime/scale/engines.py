"""Each engine as tests see it: backplanes as several processes would open them. `Engine.open` opens one more, of the
same application; every fixture `engine` is an application of its own.
"""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from capnweb_runtime.scale import Backplane, Bounds, MemoryBackplane, MemoryStore
from capnweb_runtime.scale.on_nats import NatsBackplane
from capnweb_runtime.scale.on_redis import RedisBackplane
from tests.runtime.scale.servers import NatsServer, RedisServer, Server, SystemNatsServer

SERVERS: dict[str, type[Server]] = {"redis": RedisServer, "nats": NatsServer, "nats_of_system": SystemNatsServer}
"""By the names that `conftest.SERVED` has."""


class Engine(ABC):
    """One application's part of an engine."""

    @abstractmethod
    def open(self, bounds: Bounds = Bounds(), *, clock: Callable[[], float] = time.monotonic) -> Backplane:  # noqa: B008
        """As one more process would."""


class Memory(Engine):
    def __init__(self) -> None:
        self.store = MemoryStore()

    def open(self, bounds: Bounds = Bounds(), *, clock: Callable[[], float] = time.monotonic) -> Backplane:  # noqa: B008
        return MemoryBackplane(self.store, bounds=bounds)


class Served(Engine):
    """One that runs by itself."""

    def __init__(self, server: Server, kind: Any) -> None:
        self.server = server
        self.name = f"test-{secrets.token_hex(6)}"
        self._kind = kind

    def open(
        self,
        bounds: Bounds = Bounds(),  # noqa: B008
        *,
        clock: Callable[[], float] = time.monotonic,
        port: int | None = None,
    ) -> Backplane:
        """As one more process would, which may reach the engine through another port."""
        url = self.server.url.replace(str(self.server.port), str(port or self.server.port))
        opened: Backplane = self._kind(url, bounds=bounds, clock=clock, chance=lambda: 0.05, name=self.name)
        return opened


def served(server: Server) -> Served:
    return Served(server, RedisBackplane if isinstance(server, RedisServer) else NatsBackplane)
