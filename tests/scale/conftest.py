"""Engines that run as servers, by name, each with workers of their own application."""

from __future__ import annotations

import pytest

from tests.runtime.scale.conftest import SERVED, nats_of_system_server, nats_server, redis_server
from tests.runtime.scale.engines import Served, served

__all__ = ["nats_of_system_server", "nats_server", "redis_server", "shared"]

CURRENT = SERVED[:2]
"""Redis and the current NATS: what is the same in every version is tried with these."""


@pytest.fixture(params=CURRENT)
def shared(request: pytest.FixtureRequest) -> Served:
    """A part of an engine that all tests share: it is not killed."""
    return served(request.getfixturevalue(f"{request.param}_server"))
