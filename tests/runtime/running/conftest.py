"""Engines of backplanes, for programs that are given one."""

from tests.runtime.scale.conftest import nats_server, redis_server

__all__ = ["nats_server", "redis_server"]
