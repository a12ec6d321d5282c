"""Engines of backplanes, in which revocations may be kept."""

from tests.runtime.scale.conftest import engine, nats_of_system_server, nats_server, redis_server

__all__ = ["engine", "nats_of_system_server", "nats_server", "redis_server"]
