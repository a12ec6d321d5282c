"""Sessions for tests, which must have given everything back when the test is over."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from hypothesis import settings

from capnweb_runtime.driving import turns
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.transports import memory
from tests.runtime.pair import Pair, Recording

Join = Callable[..., Pair]
JoinOnLoop = Callable[..., tuple[Connection, Connection]]
_TURNS = 100


@pytest.fixture(autouse=True)
def turns_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no session has to wait for others, unless a test is about that."""
    monkeypatch.setattr(turns, "TURN", math.inf)


settings.register_profile("same-every-time", derandomize=True, deadline=None)
settings.load_profile("same-every-time")


@pytest.fixture
def join() -> Iterator[Join]:
    """Makes pairs of sessions: `join(main_a, main_b)`.

    After the test, when its variables are gone, the tables of every pair must be empty and no session aborted;
    `join(..., clean=False)` is for tests that end a session or leave something behind on purpose.
    """
    pairs: list[Pair] = []

    def make(
        main_a: RpcTarget | None = None,
        main_b: RpcTarget | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        clean: bool = True,
    ) -> Pair:
        pair = Pair(main_a, main_b, limits)
        if clean:
            pairs.append(pair)
        return pair

    yield make
    gc.collect()
    while any(pair.run() for pair in pairs):
        pass
    for pair in pairs:
        pair.assert_empty()


@pytest_asyncio.fixture
async def join_on_loop() -> AsyncIterator[JoinOnLoop]:
    """Like `join`, for sessions on the running loop; closes them after the test."""
    joined: list[tuple[Connection, Connection]] = []

    def make(
        main_a: RpcTarget | None = None, main_b: RpcTarget | None = None, *, limits: Limits = DEFAULT_LIMITS
    ) -> tuple[Connection, Connection]:
        joined.append(memory.pair(main_a, main_b, limits=limits, observer=Recording(), errors="all"))
        return joined[-1]

    yield make
    gc.collect()
    both = [side for pair in joined for side in pair]
    for _ in range(_TURNS):
        if all(_is_empty(side) for side in both):
            break
        await asyncio.sleep(0)
    for side in both:
        assert side.session.reason is None
        assert _is_empty(side), side.stats()
    for side, _ in joined:
        side.session.remote_main.dispose()
        await side.wait_closed()


def _is_empty(side: Connection) -> bool:
    stats = side.stats()
    return (stats.imports, stats.exports, stats.calls) == (1, 1, 0)
