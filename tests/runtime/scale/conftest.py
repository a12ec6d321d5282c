"""Engines, by name: `async def test_x(engine: Engine)` runs with each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.needs import needs_nats, needs_nats_of_system, needs_redis
from tests.runtime.scale.engines import Engine, Memory, served
from tests.runtime.scale.servers import NatsServer, RedisServer, Server, SystemNatsServer

SERVED = [
    pytest.param("redis", marks=needs_redis),
    pytest.param("nats", marks=needs_nats),
    pytest.param("nats_of_system", marks=needs_nats_of_system),
]
CURRENT = SERVED[:2]
"""For tests of what stands on them, which take long: an old one keeps the same contract."""


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Server]:
    server = NatsServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def nats_of_system_server() -> Iterator[Server]:
    server = SystemNatsServer()
    yield server
    server.close()


@pytest.fixture(params=["memory", *SERVED])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Of a server that all tests share."""
    if request.param == "memory":
        return Memory()
    server: Server = request.getfixturevalue(f"{request.param}_server")
    return served(server)
