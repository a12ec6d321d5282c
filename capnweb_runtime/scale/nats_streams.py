"""The streams that a backplane has in JetStream, and how they are read and written. Rule: each message of a subject is
written behind the one that its writer knows to be the last, and carries that one's sequence: whoever reads two messages
knows whether any is missing between them.

`<name>-topics` has a subject for each topic, and is published again as it is stored, to `<name>.live.<topic>`; a topic
that is empty gets a mark, so that it has a position. `<name>-names` has a subject for each lease and value, and of each
the last message alone. Both are read from the leader: what a follower answers may be older than what a reader has seen.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from zlib import crc32

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg, RePublish, StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale.contract import Bounds, Cursor, Event
from capnweb_runtime.scale.subscription import Mark, Step

T = TypeVar("T")

PREVIOUS: Final = "Capnweb-Previous"
MARK: Final = "Capnweb-Mark"
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_WRONG_LAST: Final = 10071
"""JetStream's number of the error that something else is last in a subject."""
_FULL: Final = frozenset({10002, 10023, 10028, 10047, 10077})
"""Its numbers of errors that say that memory, disk, or what a stream or an account may have, is used up."""
_STREAM_ERRORS: Final = (nats.errors.Error, OSError, TimeoutError)
_PATIENCE: Final = 5.0
"""Seconds for an answer."""


class NotLast(Exception):
    """Another message than expected is the last of a subject.

    Parameters:
        sequence: that one's; 0 if there is none.
    """

    def __init__(self, sequence: int) -> None:
        super().__init__(sequence)
        self.sequence = sequence


@dataclass(slots=True)
class _Tail:
    """What this process knows of a topic's end. One message at a time is written behind it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    sequence: int | None = None


class NatsStreams:
    """See above.

    Parameters:
        client: one that is connected.
        name: of the application.
        bounds: what is kept.

    Attributes:
        in_doubt: whether the streams may be others than they were: the connection was lost.
        base: what is added to a sequence of a lease or a value, so that it grows also when the stream is lost.
    """

    def __init__(self, client: Client, name: str, bounds: Bounds) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=_PATIENCE)
        self._waits: set[asyncio.Timeout] = set()
        self._name = name
        self._bounds = bounds
        self._tails: dict[str, _Tail] = {}
        self.in_doubt = True
        self._life = ""
        self.base = 0

    async def prepare(self) -> None:
        """Make the streams that are not there, and learn of which life they are."""
        self.in_doubt = False
        seconds = self._bounds.history_seconds
        topics = StreamConfig(
            name=f"{self._name}-topics",
            subjects=[self.topic("*")],
            max_msgs_per_subject=self._bounds.history_events,
            max_age=seconds,
            duplicate_window=min(self._bounds.dedupe_seconds, seconds),
            republish=RePublish(src=self.topic("*"), dest=self.live("{{wildcard(1)}}")),
        )
        names = StreamConfig(name=f"{self._name}-names", subjects=[self.named("*", "*")], max_msgs_per_subject=1)
        try:
            self._life = str(_micros((await self._stream(topics)).created))
            self.base = _micros((await self._stream(names)).created)
        except BaseException:
            self.in_doubt = True
            raise

    async def answer(self, request: Coroutine[Any, Any, T]) -> T:
        """What the server says to a request. Nobody waits for an answer of a connection that is lost.

        Raises:
            TimeoutError: the connection was lost meanwhile.
            ConnectionReconnectingError: there is none; nothing was sent.
        """
        if not self._client.is_connected:
            request.close()
            raise nats.errors.ConnectionReconnectingError
        async with asyncio.timeout(None) as wait:
            self._waits.add(wait)
            try:
                return await request
            finally:
                self._waits.discard(wait)

    def disconnected(self) -> None:
        """The connection is lost, and with it every answer that is on its way."""
        waits, self._waits = self._waits, set()
        for wait in waits:
            wait.reschedule(asyncio.get_running_loop().time())

    async def certain(self) -> None:
        """Look at the streams again, if there is a doubt."""
        if self.in_doubt:
            await self.prepare()

    def epoch(self, topic: str) -> str:
        """Names the life of a topic: that of the stream as it was when it was last looked at, and which topic it is, so
        that a cursor of another one, whose offsets are of the same stream, does not fit.
        """
        return f"{self._life}-{crc32(topic.encode()):08x}"

    def topic(self, token: str) -> str:
        """Subject under which a topic is stored."""
        return f"{self._name}.topic.{token}"

    def live(self, token: str) -> str:
        """Subject under which it is published as it is stored."""
        return f"{self._name}.live.{token}"

    def named(self, kind: str, token: str) -> str:
        """Subject of a lease or a value."""
        return f"{self._name}.name.{kind}.{token}"

    async def append(self, topic: str, data: bytes, headers: dict[str, str], *, empty: bool = False) -> int:
        """Write a message behind the last one of a topic.

        Parameters:
            topic: its name.
            data: the message's.
            headers: its headers.
            empty: only if there is none.

        Returns:
            Its sequence, or that of the one which had the same id; with ``empty``, that of the last one.
        """
        tail = self._tail(topic)
        async with tail.lock:
            if tail.sequence is None or empty:
                tail.sequence = await self.last_of(self.topic(token_of(topic)))
            while not (empty and tail.sequence):
                previous = tail.sequence or await self._last_at_all()
                try:
                    sequence, is_new = await self.write(
                        self.topic(token_of(topic)), data, {**headers, PREVIOUS: str(previous)}, tail.sequence
                    )
                except NotLast as other:
                    tail.sequence = other.sequence
                    continue
                if is_new:
                    tail.sequence = sequence
                return sequence
            return tail.sequence

    async def write(self, subject: str, data: bytes, headers: dict[str, str], last: int | None) -> tuple[int, bool]:
        """Write a message, if a sequence, or 0 for none, is the last one of its subject; None for any.

        Returns:
            Its sequence, and whether it is new: it is not if there was one of its id.

        Raises:
            NotLast: something else is.
        """
        expected = {} if last is None else {_EXPECTED: str(last)}
        try:
            answer = await self.answer(self._js.publish(subject, data, headers={**headers, **expected}))
        except APIError as error:
            found = re.search(r"\d+$", error.description or "")
            if error.err_code == _WRONG_LAST and found is not None:
                raise NotLast(int(found[0])) from error
            raise unavailable(error) from error
        except nats.errors.MaxPayloadError as error:
            raise ValueError(
                f"{len(data)} bytes are more than this NATS carries: raise its max_payload, which is 1 MiB by default"
            ) from error
        except _STREAM_ERRORS as error:
            raise unavailable(error) from error
        return answer.seq, not answer.duplicate

    async def steps(self, topic: str, after: int, count: int, epoch: str) -> list[Step]:
        """The first messages of a topic behind a sequence."""
        steps: list[Step] = []
        while len(steps) < count:
            message = await self._message(f"{self._name}-topics", after + 1, self.topic(token_of(topic)))
            if message is None or message.seq is None:
                break
            after = message.seq
            steps.append(step_of(Cursor(epoch, after), message.data or b"", message.headers or {}))
        return steps

    async def last_of(self, subject: str) -> int:
        """Sequence of a topic's last message; 0 if there is none."""
        message = await self._message(f"{self._name}-topics", None, subject)
        return 0 if message is None else message.seq or 0

    async def name(self, kind: str, name: str) -> RawStreamMsg | None:
        """What there is of a lease or a value."""
        return await self._message(f"{self._name}-names", None, self.named(kind, token_of(name)))

    async def now(self) -> datetime:
        """What time it is at the server, which has the times of its messages from the same clock."""
        subject = self.named("clock", "now")
        await self.write(subject, b"", {}, None)
        message = await self._message(f"{self._name}-names", None, subject)
        assert message is not None, "the clock's last message is never deleted"
        assert message.time is not None, "JetStream tells when a message came"
        return message.time

    async def forget(self, subject: str, until: int) -> None:
        """Delete messages of a lease or a value, up to a sequence."""
        try:
            await self.answer(self._js.purge_stream(f"{self._name}-names", seq=until + 1, subject=subject))
        except _STREAM_ERRORS as error:
            raise unavailable(error) from error

    async def _message(self, stream: str, first: int | None, subject: str) -> RawStreamMsg | None:
        """The last message of a subject, or the first one from a sequence on."""
        try:
            return await self.answer(self._js.get_msg(stream, seq=first, subject=subject, next=first is not None))
        except NotFoundError:
            return None
        except _STREAM_ERRORS as error:
            raise unavailable(error) from error

    async def _last_at_all(self) -> int:
        """A position that no message of an empty topic has passed: none of it was published after this one."""
        try:
            return (await self.answer(self._js.stream_info(f"{self._name}-topics"))).state.last_seq
        except _STREAM_ERRORS as error:
            raise unavailable(error) from error

    async def _stream(self, config: StreamConfig) -> StreamInfo:
        assert config.name is not None, "it has been named above"
        try:
            try:
                return await self.answer(self._js.stream_info(config.name))
            except NotFoundError:
                return await self.answer(self._js.add_stream(config))
        except _STREAM_ERRORS as error:
            raise unavailable(error) from error

    def _tail(self, topic: str) -> _Tail:
        if topic not in self._tails and len(self._tails) >= 10_000:
            idle = next((name for name, tail in self._tails.items() if not tail.lock.locked()), None)
            if idle is not None:
                del self._tails[idle]
        return self._tails.setdefault(topic, _Tail())


def step_of(cursor: Cursor, data: bytes, headers: dict[str, str]) -> Step:
    """What a message of a topic is."""
    previous = int(headers[PREVIOUS])
    return Mark(cursor, previous) if MARK in headers else Event(cursor, data, previous)


def token_of(name: str) -> str:
    """A name as a part of a subject."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def unavailable(error: Exception) -> BackplaneUnavailable:
    """What is raised for an error of the client."""
    if isinstance(error, APIError) and error.err_code in _FULL:
        return BackplaneUnavailable(
            f"JetStream is full, and has done nothing: give it more room, or keep less, by Bounds ({error.description})"
        )
    return BackplaneUnavailable(
        f"NATS did not answer ({type(error).__name__}: {error}): see that it runs, with JetStream; it may have done it"
    )


def _micros(moment: datetime | None) -> int:
    assert moment is not None, "JetStream tells when a stream was made"
    return round(moment.astimezone(UTC).timestamp() * 1_000_000)
