"""Any order of publishing, reading, leaving, resuming, trimming, losing, and being parted from the engine, with every
engine: whoever reads sees each number in its turn, or a `Gap`; and no gap where nothing was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime.scale import Backplane, Bounds, Cursor, Gap
from tests.chaos.proxy import Proxy
from tests.runtime.scale.conftest import SERVED
from tests.runtime.scale.engines import Engine, Memory, Served, served
from tests.runtime.scale.test_crashes import TOPIC, Reader

KEPT = 6
ACTIONS = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 9)),
    st.tuples(st.just("part"), st.integers(1, KEPT + 2)),
    st.tuples(st.sampled_from(["read", "crash", "lose"]), st.integers(0, 1)),
)


class Story:
    """What was done, and what has to be seen."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.line: Proxy | None = None  # between the engine and whoever reads
        self.parted = False
        self.cuts = 0
        self.published = 0
        self.reader = Reader()
        self.reader.last = 0
        self.lost = False
        self.missed = 0  # since the reader has left or begun

    async def run(self, actions: list[tuple[str, int]]) -> None:
        bounds = Bounds(history_events=KEPT, recent_events=3)
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(self.engine, Served):
                line = Proxy(self.engine.server.port, lambda connection, up, passed, size: 0 if self.parted else size)
                self.line = await stack.enter_async_context(line)
            writer = await stack.enter_async_context(self.engine.open(bounds))
            self.reader.cursor = await writer.publish(TOPIC, b"0")
            pending = [*actions]
            while True:
                lived = await self.live(writer, bounds, pending)
                if not lived:
                    return

    async def live(self, writer: Any, bounds: Bounds, pending: list[tuple[str, int]]) -> bool:
        """One process that reads, until it crashes. Returns whether there is more to do."""
        self.missed = self.published - (self.published if self.reader.last is None else self.reader.last)
        may = self.lost or self.missed > KEPT or self.reader.last is None
        gaps = len(self.reader.gaps)
        async with self.open(bounds) as process:
            cursor: Cursor | None = self.reader.cursor
            async with process.subscribe(TOPIC, cursor) as subscription:
                while pending:
                    action, number = pending.pop(0)
                    if action == "publish":
                        for _ in range(number):
                            self.published += 1
                            await writer.publish(TOPIC, b"%d" % self.published)
                    elif action == "part":
                        may = may or number > KEPT
                        await self.part(writer, subscription, number)
                    elif action == "lose" and isinstance(self.engine, Memory):
                        self.engine.store.lose()
                        self.lost = may = True
                    elif action == "read":
                        await self.read(writer, subscription)
                    elif action == "crash":
                        break
                else:
                    await self.read(writer, subscription)
                    assert may or len(self.reader.gaps) == gaps, "a gap where nothing was lost"
                    return False
                assert may or len(self.reader.gaps) == gaps, "a gap where nothing was lost"
                return True

    def open(self, bounds: Bounds) -> Backplane:
        """A process that reads, over the line that can be cut."""
        if self.line is not None and isinstance(self.engine, Served):
            return self.engine.open(bounds, port=self.line.port)
        return self.engine.open(bounds)

    async def part(self, writer: Any, subscription: Any, number: int) -> None:
        """So many are published while the reader and the engine do not reach each other; once in a story."""
        await self.read(writer, subscription)
        if self.line is not None and not self.cuts:
            self.cuts, self.parted = 1, True
            self.line.cut()
        for _ in range(number):
            self.published += 1
            await writer.publish(TOPIC, b"%d" % self.published)
        self.parted = False
        await self.reader.until(subscription, self.published)

    async def read(self, writer: Any, subscription: Any) -> None:
        """Up to what is published now."""
        self.published += 1
        await writer.publish(TOPIC, b"%d" % self.published)
        await self.reader.until(subscription, self.published)
        self.lost = False
        assert not isinstance(self.reader.cursor, Gap)


@pytest.mark.parametrize("kind", ["memory", *SERVED])
def test_a_reader_sees_each_event_in_its_turn_or_a_gap(kind: str, request: pytest.FixtureRequest) -> None:
    server = None if kind == "memory" else request.getfixturevalue(f"{kind}_server")

    @settings(max_examples=100 if kind == "memory" else 15, deadline=None)
    @given(st.lists(ACTIONS, max_size=12))
    def tell(actions: list[tuple[str, int]]) -> None:
        engine = Memory() if server is None else served(server)
        asyncio.run(Story(engine).run(actions))

    tell()
