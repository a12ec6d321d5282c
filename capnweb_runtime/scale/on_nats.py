"""The backplane on NATS with JetStream. Rule: a change is made if nothing else has come between, which JetStream
decides by the last sequence of a subject.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final, Self

import nats.errors
from nats.aio.client import Client
from nats.js.api import RawStreamMsg

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale.contract import Bounds, Cursor, Holder, Value
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.hub import Hub, Page, check_application, check_data, check_name
from capnweb_runtime.scale.leases import HeldLease, check_ttl
from capnweb_runtime.scale.nats_reader import NatsReader
from capnweb_runtime.scale.nats_streams import MARK, NatsStreams, NotLast, token_of, unavailable
from capnweb_runtime.scale.subscription import QueuedSubscription

_TTL: Final = "Capnweb-Ttl"
_FENCE: Final = "Capnweb-Fence"
_GONE: Final = "Capnweb-Gone"
_PATIENCE: Final = 5.0
"""Seconds for a connection."""
_PING: Final = 10
"""Seconds between pings, of which two may be unanswered: a machine that is gone says nothing."""


class NatsBackplane:
    """See `Backplane`.

    Parameters:
        url: of the server.
        bounds: what is kept at most.
        clock: monotonic seconds, for leases.
        chance: a number from 0 to 1, for pauses.
        name: what streams and subjects begin with.

    Raises:
        ValueError: the name is none.
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
        self._url = url
        self._bounds = bounds
        self._clock = clock
        self._chance = chance
        self._client = Client()
        self._name = check_application(name)
        self._hub = Hub(self, bounds)
        self._entered: tuple[NatsStreams, NatsReader] | None = None

    async def publish(self, topic: str, data: bytes, *, id: str | None = None) -> Cursor:
        """See `Backplane`."""
        check_name(topic)
        check_data(data, self._bounds)
        if id is not None:
            check_name(id)
        headers = {} if id is None else {"Nats-Msg-Id": f"{token_of(topic)}.{token_of(id)}"}
        await self._streams.certain()
        epoch = self._streams.epoch(topic)
        return Cursor(epoch, await self._streams.append(topic, bytes(data), headers))

    def subscribe(self, topic: str, after: Cursor | None = None) -> QueuedSubscription:
        """See `Backplane`."""
        return self._hub.subscribe(topic, after)

    async def acquire(self, name: str, value: bytes, ttl: float) -> HeldLease | None:
        """See `Backplane`."""
        check_name(name)
        check_data(value, self._bounds)
        check_ttl(ttl)
        asked = self._clock()
        await self._streams.prepare()  # a number of a stream that is gone would be smaller than those of the next
        message = await self._streams.name("lease", name)
        if message is not None and not await self._has_expired(message):
            return None
        last = 0 if message is None else message.seq or 0
        sequence = await self._write("lease", name, value, {_TTL: str(ttl)}, last)
        if sequence is None:
            return None
        return HeldLease(self, name, value, sequence + self._streams.base, ttl, asked, self._clock)

    async def holder(self, name: str) -> Holder | None:
        """See `Backplane`."""
        check_name(name)
        await self._streams.certain()
        message = await self._streams.name("lease", name)
        if message is None or await self._has_expired(message):
            return None
        return Holder(message.data or b"", self._fence_of(message))

    async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
        """See `LeaseEngine`."""
        message = await self._streams.name("lease", name)
        if message is None or self._fence_of(message) != fence or await self._has_expired(message):
            return False
        return await self._write("lease", name, value, {_TTL: str(ttl), _FENCE: str(fence)}, message.seq) is not None

    async def release_lease(self, name: str, fence: int) -> None:
        """See `LeaseEngine`."""
        message = await self._streams.name("lease", name)
        if message is not None and self._fence_of(message) == fence:
            await self._remove("lease", name, message.seq)

    async def get(self, key: str) -> Value | None:
        """See `Backplane`."""
        check_name(key)
        await self._streams.certain()
        message = await self._streams.name("value", key)
        if message is None or _is_gone(message):
            return None
        return Value(message.data or b"", (message.seq or 0) + self._streams.base)

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int | None:
        """See `Backplane`."""
        check_name(key)
        check_data(data, self._bounds)
        await self._streams.certain()
        last = await self._expected(key, expect)
        sequence = None if last == -1 else await self._write("value", key, data, {}, last)
        return None if sequence is None else sequence + self._streams.base

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """See `Backplane`."""
        check_name(key)
        await self._streams.certain()
        last = await self._expected(key, expect)
        return last != -1 and await self._remove("value", key, last)

    async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
        """See `Engine`."""
        streams = self._streams
        await streams.prepare()
        epoch = streams.epoch(topic)
        top = await streams.append(topic, b"", {MARK: "1"}, empty=True)
        if after is None or after.epoch != epoch or after.offset >= top:
            return Page(Cursor(epoch, top), ())
        return Page(Cursor(epoch, top), await streams.steps(topic, after.offset, count, epoch))

    async def follow(self, feed: Feed) -> None:
        """See `Engine`."""
        try:
            await self._reader.add(feed)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise unavailable(error) from error

    def unfollow(self, feed: Feed) -> None:
        """See `Engine`."""
        if self._entered is not None:
            self._reader.remove(feed)

    async def close(self) -> None:
        """See `Backplane`."""
        self._hub.close()
        if self._entered is not None:
            await self._reader.close()
        await self._client.close()

    async def __aenter__(self) -> Self:
        streams = NatsStreams(self._client, self._name, self._bounds)
        reader = NatsReader(self._client, streams, self, self._chance)

        async def doubt(*_: object) -> None:
            reader.doubt()

        async def disconnected() -> None:
            streams.disconnected()
            reader.doubt()

        try:
            async with asyncio.timeout(_PATIENCE):
                await self._client.connect(
                    self._url,
                    max_reconnect_attempts=-1,
                    ping_interval=_PING,
                    reconnect_time_wait=0.25 + self._chance(),  # type: ignore[arg-type]  # declared as int, only slept
                    error_cb=doubt,
                    disconnected_cb=disconnected,
                    reconnected_cb=doubt,
                )
                await streams.prepare()
        except (nats.errors.Error, OSError, TimeoutError, BackplaneUnavailable) as error:
            await self._client.close()
            raise error if isinstance(error, BackplaneUnavailable) else unavailable(error) from error
        self._entered = streams, reader
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def _streams(self) -> NatsStreams:
        return self._parts()[0]

    @property
    def _reader(self) -> NatsReader:
        return self._parts()[1]

    def _parts(self) -> tuple[NatsStreams, NatsReader]:
        if self._entered is None:
            raise RuntimeError("a backplane on NATS is used inside of `async with`, which connects it")
        return self._entered

    def _fence_of(self, message: RawStreamMsg) -> int:
        """A lease that was renewed carries the number that it began with."""
        noted = (message.headers or {}).get(_FENCE)
        return (message.seq or 0) + self._streams.base if noted is None else int(noted)

    async def _has_expired(self, message: RawStreamMsg) -> bool:
        """Whether a lease is nobody's any more, by the server's clock alone."""
        if _is_gone(message):
            return True
        assert message.time is not None, "JetStream tells when a message came"
        ttl = float((message.headers or {})[_TTL])
        return (await self._streams.now() - message.time).total_seconds() >= ttl

    async def _expected(self, key: str, expect: int | None) -> int | None:
        """The sequence that a value's last message has to have; None for any, -1 for one that it cannot have."""
        if expect is None:
            return None
        message = await self._streams.name("value", key)
        if expect == 0:
            return 0 if message is None else message.seq if _is_gone(message) else -1
        last = expect - self._streams.base
        return last if message is not None and message.seq == last and not _is_gone(message) else -1

    async def _write(self, kind: str, name: str, data: bytes, headers: dict[str, str], last: int | None) -> int | None:
        """Write a lease or a value. Returns its sequence; None if another than the last one was there."""
        try:
            return (await self._streams.write(self._streams.named(kind, token_of(name)), data, headers, last))[0]
        except NotLast:
            return None

    async def _remove(self, kind: str, name: str, last: int | None) -> bool:
        """Say that it is gone, if that is so by what was last; then nobody needs to be told."""
        gone = await self._write(kind, name, b"", {_GONE: "1"}, last)
        if gone is not None:
            await self._streams.forget(self._streams.named(kind, token_of(name)), gone)
        return gone is not None


def _is_gone(message: RawStreamMsg) -> bool:
    return _GONE in (message.headers or {})
