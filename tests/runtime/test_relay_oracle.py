"""Random histories through relays. Rule: whoever is at the end of a chain sees what he would see without relays, and
once everybody has given everything up, no session on the way holds anything.

HYPOTHESIS_PROFILE=nightly runs many more histories.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from capnweb_runtime import AnyStub, ReadableStream, Response, RpcError
from capnweb_runtime.core.hook import Hook, Payload, PromiseRef
from capnweb_runtime.core.refs import PlainStub
from tests.runtime.pair import Pair, run_all
from tests.runtime.stream_example import Chain, Depot, Forwarded, Joining, within
from tests.runtime.test_refcount_oracle import Thing

METHODS = ["make", "touch", "three", "keep", "ignore", "echo", "give"]
TAKE_ONE = frozenset(["keep", "ignore", "echo"])


class Row:
    """A client, relays and a server; the client holds hooks."""

    def __init__(self, relays: int) -> None:
        self.kept: list[AnyStub] = []  # by the server
        self.pairs = [Pair(None, Thing(self.kept))]
        for _ in range(relays):
            self.pairs.append(Pair(None, Forwarded(self.pairs[-1].a.session.remote_main.dup())))
        self.client = self.pairs[-1].a
        self.held: list[Hook] = []
        self.mains: set[Hook] = {self.client.session.remote_main}

    def do(self, action: str, index: int, argument: int) -> Any:
        """Does one thing to what is held, the main object being the first of it; returns what can be seen of it."""
        held = [self.client.session.remote_main, *self.held]
        subject = held[index % len(held)]
        if action == "dispose":
            if self.held:
                self.held.pop(index % len(self.held)).dispose()
        elif action == "dup":
            self.held.append(subject.dup())
            if subject in self.mains:
                self.mains.add(self.held[-1])
        elif action == "map":
            self.held.append(
                self.client.session.remote_main.call(("three",), Payload([])).map(
                    (), [subject.dup()], [["pipeline", -1, ["touch"], []]]
                )
            )
        elif action == "pull":
            return None if subject in self.mains else self.seen(subject)  # a main object is no promise
        else:
            self.held.append(subject.call((action,), self.arguments(action, held, argument)))
        return None

    def arguments(self, action: str, held: list[Hook], argument: int) -> Payload:
        if action not in TAKE_ONE:
            return Payload([])
        hook = held[argument % len(held)].dup() if argument % 3 else Thing(self.kept)._export(self.client.host)
        return Payload([PlainStub(hook)], None, [hook])

    def seen(self, hook: Hook) -> Any:
        """What has come of a hook: plain data, the word stub, or an error."""
        found: list[Any] = []
        pulled = hook.pull()
        if isinstance(pulled, Payload):
            found.append(pulled)
        else:
            pulled.then(found.append, found.append)
        run_all(*self.pairs)
        if isinstance(found[0], Payload):
            return self.shown(found[0].value)
        return type(found[0]).__name__, str(found[0])

    def shown(self, value: Any) -> Any:
        if isinstance(value, PromiseRef):
            return self.seen(value._hook)
        if isinstance(value, list):
            return [self.shown(item) for item in value]
        return "stub" if isinstance(value, PlainStub) else value

    def give_everything_up(self) -> None:
        for hook in self.held:
            hook.dispose()
        run_all(*self.pairs)
        for stub in self.kept:
            stub.dispose()
        run_all(*self.pairs)

    def assert_empty(self) -> None:
        for pair in self.pairs:
            for side in (pair.a, pair.b):
                assert not side.host.discarded  # what the garbage collector would have to dispose is a mistake
                side.assert_empty()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*METHODS, "dispose", "dup", "map", "pull"]),
        st.integers(0, 20),
        st.integers(0, 20),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=max(200, settings().max_examples), deadline=None)
@given(steps=STEPS, relays=st.integers(1, 3))
def test_capabilities_are_as_they_would_be_without_relays_and_nothing_is_left(
    steps: list[tuple[str, int, int, bool]], relays: int
) -> None:
    near, far = Row(0), Row(relays)
    for action, index, argument, deliver in steps:
        note(f"{action} {index} {argument}")
        assert far.do(action, index, argument) == near.do(action, index, argument)
        if deliver:
            run_all(*near.pairs)
            run_all(*far.pairs)
    for row in (near, far):
        row.give_everything_up()
        row.assert_empty()


# ---- streams

CHUNK = st.one_of(
    st.integers(-5, 5),
    st.text(max_size=5),
    st.binary(max_size=50),
    st.lists(st.integers(), max_size=3),
    st.sampled_from(["x" * 70_000, b"y" * 100_000]),
)
WRAPS: dict[str, Any] = {
    "bare": lambda stream: stream,
    "in a list": lambda stream: [1, [stream]],
    "in an object": lambda stream: {"a": {"b": stream}},
    "a body": lambda stream: [Response(stream)],
}
UNWRAPS: dict[str, Any] = {
    "bare": lambda value: value,
    "in a list": lambda value: value[1][0],
    "in an object": lambda value: value["a"]["b"],
    "a body": lambda value: value[0].body,
}


class Source:
    """Gives chunks, then fails or ends; knows how many it gave and whether it was closed."""

    def __init__(self, chunks: list[Any], fails: bool) -> None:
        self.chunks = chunks
        self.fails = fails
        self.ended = asyncio.Event()
        self.begun = False

    async def run(self) -> AsyncIterator[Any]:
        self.begun = True
        try:
            for chunk in self.chunks:
                yield chunk
            if self.fails:
                raise RpcError("dry", "RangeError")
        finally:
            self.ended.set()


async def read(stream: Any, at_most: int) -> Any:
    """Reads so many chunks and then cancels; returns the chunks, and the error or the word ended if it came to that."""
    chunks: list[Any] = []
    assert isinstance(stream, ReadableStream)
    async with stream:
        try:
            async for chunk in stream:
                chunks.append(chunk)
                if len(chunks) == at_most:
                    return chunks, "cancelled"
        except RpcError as error:
            return chunks, error.name
    return chunks, "ended"


async def history(
    chunks: list[Any], fails: bool, at_most: int, wrap: str, way: str, relays: int, carry: Any, waits: bool
) -> None:
    joining = Joining()
    source = Source(chunks, fails)

    async def do(value: Any) -> Any:
        if way == "a result":
            return WRAPS[wrap](source.run())
        if waits:
            await chain.quiet()
        outcome = await read(UNWRAPS[wrap](value), at_most) if at_most else ([], "unread")
        return list(outcome)

    chain = Chain(joining, Depot(do=do), relays, carry)
    if way == "an argument":
        got, end = await within(chain.depot.do(WRAPS[wrap](source.run())))
    else:
        promise = chain.depot.do(None)
        result = await within(promise)
        if waits:
            await chain.quiet()
        got, end = await within(read(UNWRAPS[wrap](result), at_most)) if at_most else ([], "unread")
        del result
        promise.dispose()
    assert got == chunks[: len(got)]
    if end == "ended":
        assert (got, fails) == (chunks, False)
    elif end == "RangeError":
        assert fails  # an error overtakes chunks that have not been read
    if source.begun:
        await within(source.ended.wait())
    await joining.assert_empty()


@settings(max_examples=max(100, settings().max_examples // 10), deadline=None)
@given(
    chunks=st.lists(CHUNK, max_size=12),
    fails=st.booleans(),
    at_most=st.sampled_from([0, 1, 3, 100, 100]),
    wrap=st.sampled_from(sorted(WRAPS)),
    way=st.sampled_from(["an argument", "a result"]),
    relays=st.integers(1, 3),
    carry=st.sampled_from(["string", "attached", "json-with-bytes"]),
    waits=st.booleans(),
)
def test_streams_arrive_as_far_as_they_are_read_and_end_at_both_ends(**choices: Any) -> None:
    asyncio.run(history(**choices))
