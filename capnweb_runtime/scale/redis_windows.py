"""Moving windows on Redis, as a storage of `limits`. Rule: the clock is that of Redis. `limits` has each process go by
its own, so that one whose clock is ahead passes every limit, and locks all others out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale.windows import Full, Wanted

_CONNECTIONS: Final = 16
"""More calls than that wait for each other; a map that makes thousands has no thousands of sockets."""
_PATIENCE: Final = 1.0
"""Seconds for an answer, or for a connection: as long as a call may be held up by this."""

_ACQUIRE: Final = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local waits, free = {}, true
for i, key in ipairs(KEYS) do
  local limit, expiry, amount = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local entry = redis.call('LINDEX', key, limit - amount)
  local wait = entry and tonumber(entry) + expiry - now or 0
  waits[i] = string.format('%.6f', wait)
  free = free and wait <= 0
end
if not free then return waits end
local stamp = string.format('%.6f', now)
for i, key in ipairs(KEYS) do
  for _ = 1, tonumber(ARGV[3 * i]) do redis.call('LPUSH', key, stamp) end
  redis.call('LTRIM', key, 0, ARGV[3 * i - 2] - 1)
  redis.call('EXPIRE', key, ARGV[3 * i - 1])
end
return {}
"""
"""KEYS: windows, each a list of when something was let in, the last first, as `limits` has it. ARGV: for each how much
it may hold, its seconds, how much is to be let in. Gives nothing; or for each the seconds to wait, if it is full."""


class RedisWindows(RedisStorage):
    """Those of all processes that have the same Redis.

    Parameters:
        url: of the server, as redis-py reads it.
        prefix: what all keys begin with.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(self, url: str, prefix: str) -> None:
        options: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "protocol": 2, "socket_timeout": _PATIENCE}
        pool: Any = BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, **options
        )
        # The URL is the pool's to read; `limits` knows fewer forms of it.
        super().__init__("async+redis://", implementation="redispy", key_prefix=prefix, connection_pool=pool)
        self.full = Full()
        self._redis = Redis(connection_pool=pool)
        self._acquire = self._redis.register_script(_ACQUIRE)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Have room in one window, as the strategies of `limits` ask for it. Raises BackplaneUnavailable."""
        return await self.acquire_entries([Wanted(key, limit, expiry, amount)])

    async def acquire_entries(self, wanted: Sequence[Wanted]) -> bool:
        """See `Windows`."""
        keys = [self.bridge.prefixed_key(one.key) for one in wanted]
        arguments = [number for one in wanted for number in (one.limit, one.expiry, one.amount)]
        try:
            waits = await self._acquire(keys, arguments)
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error
        for one, wait in zip(wanted, map(float, waits), strict=False):
            if wait > 0:
                self.full.remember(one.key, one.amount, wait)
        return not waits

    async def ready(self) -> None:
        """Raises BackplaneUnavailable if it does not answer."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Ends its connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()


def _unavailable(error: Exception) -> BackplaneUnavailable:
    return BackplaneUnavailable(f"Redis did not answer ({type(error).__name__}: {error}): see that it runs")
