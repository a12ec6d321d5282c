"""The backplane on Redis. Rule: each change is one script, and is never tried again by itself: what failed is the
caller's to repeat, who has the id.

One primary, with replicas or without; not a cluster, since one connection reads all topics.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final, Literal, Self
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, ReadOnlyError, RedisError

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import redis_scripts
from capnweb_runtime.scale.contract import Bounds, Cursor, Holder, Value
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.hub import Hub, Page, check_application, check_data, check_name
from capnweb_runtime.scale.leases import HeldLease, check_ttl
from capnweb_runtime.scale.redis_reader import BLOCK, RedisReader, events_of
from capnweb_runtime.scale.subscription import QueuedSubscription

_PATIENCE: Final = 5.0
"""Seconds for an answer."""


class RedisBackplane:
    """See `Backplane`.

    Parameters:
        url: of the server, as redis-py reads it.
        bounds: what is kept at most.
        clock: monotonic seconds, for leases.
        chance: a number from 0 to 1, for pauses.
        name: what all keys begin with.

    Raises:
        ValueError: the URL or the name is none.
    """

    def __init__(
        self,
        url: str,
        *,
        bounds: Bounds = Bounds(),  # noqa: B008 — a constant
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        name: str = "capnweb",
    ) -> None:
        self._bounds = bounds
        self._keys = _Keys(check_application(name))
        self._clock = clock
        self._redis = _client(url, _PATIENCE)
        self._reader = RedisReader(_client(url, BLOCK + _PATIENCE), self._redis, self, self._keys.stream, chance)
        self._hub = Hub(self, bounds)
        self._scripts = {
            name: self._redis.register_script(getattr(redis_scripts, name))
            for name in ("PUBLISH", "PAGE", "ACQUIRE", "RENEW", "RELEASE", "PUT", "DELETE")
        }

    async def publish(self, topic: str, data: bytes, *, id: str | None = None) -> Cursor:
        """See `Backplane`."""
        check_name(topic)
        check_data(data, self._bounds)
        if id is not None:
            check_name(id)
        keys = [*self._keys.topic(topic), self._keys.id(topic, id)]
        history = [self._bounds.history_events, _milliseconds(self._bounds.history_seconds)]
        remembered = 0 if id is None else _milliseconds(self._bounds.dedupe_seconds)
        return Cursor.parse((await self._run("PUBLISH", keys, [data, *history, remembered])).decode())

    def subscribe(self, topic: str, after: Cursor | None = None) -> QueuedSubscription:
        """See `Backplane`."""
        return self._hub.subscribe(topic, after)

    async def acquire(self, name: str, value: bytes, ttl: float) -> HeldLease | None:
        """See `Backplane`."""
        check_name(name)
        check_data(value, self._bounds)
        check_ttl(ttl)
        asked = self._clock()
        fence = await self._run("ACQUIRE", self._keys.numbered("lease", name), [value, _milliseconds(ttl)])
        return None if fence is None else HeldLease(self, name, value, int(fence), ttl, asked, self._clock)

    async def holder(self, name: str) -> Holder | None:
        """See `Backplane`."""
        found = await self._numbered("lease", name)
        return None if found is None else Holder(found.data, found.revision)

    async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
        """See `LeaseEngine`."""
        return bool(await self._run("RENEW", self._keys.numbered("lease", name)[:1], [fence, _milliseconds(ttl)]))

    async def release_lease(self, name: str, fence: int) -> None:
        """See `LeaseEngine`."""
        await self._run("RELEASE", self._keys.numbered("lease", name)[:1], [fence])

    async def get(self, key: str) -> Value | None:
        """See `Backplane`."""
        return await self._numbered("value", key)

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int | None:
        """See `Backplane`."""
        check_name(key)
        check_data(data, self._bounds)
        revision = await self._run("PUT", self._keys.numbered("value", key), [data, _or_nothing(expect)])
        return None if revision is None else int(revision)

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """See `Backplane`."""
        check_name(key)
        return bool(await self._run("DELETE", self._keys.numbered("value", key)[:1], [_or_nothing(expect)]))

    async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
        """See `Engine`."""
        asked = ["", 0, 1] if after is None else [after.epoch, min(after.offset, 2**53), count]
        epoch, top, entries = await self._run("PAGE", self._keys.topic(topic), asked)
        return Page(Cursor(epoch.decode(), int(top)), events_of(entries))

    async def follow(self, feed: Feed) -> None:
        """See `Engine`."""
        try:
            await self._reader.add(feed)
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error

    def unfollow(self, feed: Feed) -> None:
        """See `Engine`."""
        self._reader.remove(feed)

    async def close(self) -> None:
        """See `Backplane`."""
        self._hub.close()
        await self._reader.close()
        await self._redis.aclose()

    async def __aenter__(self) -> Self:
        try:
            await self._redis.info("server")  # which all scripts need: an ACL may forbid it
        except (RedisError, OSError) as error:
            await self.close()
            raise _unavailable(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _numbered(self, kind: Literal["lease", "value"], name: str) -> Value | None:
        check_name(name)
        try:
            found: Any = await self._redis.hmget(self._keys.numbered(kind, name)[0], ["v", "n"])
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error
        return None if found[1] is None else Value(found[0], int(found[1]))

    async def _run(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        try:
            return await self._scripts[script](keys, arguments)
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error


def _client(url: str, patience: float) -> Redis:
    """A client that never tries again by itself, and waits for so many seconds."""
    return Redis.from_url(
        url, protocol=2, socket_timeout=patience, socket_connect_timeout=2.0, retry=Retry(NoBackoff(), 0)
    )


_REFUSALS: Final[dict[type[Exception], str]] = {
    OutOfMemoryError: "is full, and has done nothing: give it more maxmemory, or keep less, by Bounds",
    NoPermissionError: "does not let this user do that: allow it, with ACL SETUSER; docs/scale.md has what is needed",
    AuthenticationError: "does not know this user: see user and password in the URL",
    ReadOnlyError: "is a replica: give the URL of the primary",
}
"""What Redis says no to, and what to do about that."""
_FORBIDDEN: Final = "executing the script can't run this command"


def _unavailable(error: Exception) -> BackplaneUnavailable:
    if _FORBIDDEN in str(error):  # a command inside of a script: redis-py has no class for that
        error = NoPermissionError(str(error))
    for kind, why in _REFUSALS.items():
        if isinstance(error, kind):
            return BackplaneUnavailable(f"Redis {why} ({error})")
    return BackplaneUnavailable(
        f"Redis did not answer ({type(error).__name__}: {error}): see that it runs; it may have done it"
    )


class _Keys:
    """Names of keys. What users name is quoted, so that no two have the same."""

    def __init__(self, application: str) -> None:
        self._application = application

    def stream(self, topic: str) -> str:
        return f"{self._application}:{{{quote(topic, safe='')}}}:s"

    def topic(self, topic: str) -> list[str]:
        return [f"{self._application}:{{{quote(topic, safe='')}}}:m", self.stream(topic)]

    def id(self, topic: str, id: str | None) -> str:
        return f"{self._application}:{{{quote(topic, safe='')}}}:d:{id or ''}"

    def numbered(self, kind: Literal["lease", "value"], name: str) -> list[str]:
        """Of a lease or a value, and of the last number that was given for it."""
        key = f"{self._application}:{kind}:{{{quote(name, safe='')}}}"
        return [key, f"{key}:n"]


def _milliseconds(seconds: float) -> int:
    return max(round(seconds * 1000), 1)


def _or_nothing(expect: int | None) -> str:
    return "" if expect is None else str(expect)
