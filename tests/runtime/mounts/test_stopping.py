"""Signals reach their handler behind the draining, or when they come again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from capnweb_runtime.mounts.stopping import stopping_after


@pytest.fixture
def heard() -> Iterator[asyncio.Queue[int]]:
    """What the handler of the application's server has heard."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    before = signal.signal(signal.SIGTERM, lambda number, _: queue.put_nowait(number))
    yield queue
    signal.signal(signal.SIGTERM, before)


async def test_the_handler_hears_when_the_draining_is_over(heard: asyncio.Queue[int]) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        begun.set()
        await go_on.wait()

    with stopping_after(drain):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(begun.wait(), 10)
        assert heard.empty()
        go_on.set()
        assert await asyncio.wait_for(heard.get(), 10) == signal.SIGTERM


async def test_the_second_signal_is_heard_at_once(heard: asyncio.Queue[int]) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        begun.set()
        await go_on.wait()

    with stopping_after(drain):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(begun.wait(), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(heard.get(), 10) == signal.SIGTERM
        go_on.set()
        assert await asyncio.wait_for(heard.get(), 10) == signal.SIGTERM


async def test_handlers_of_the_loop_wait_too_and_everything_is_given_back() -> None:
    loop = asyncio.get_running_loop()
    heard, drained = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        assert not heard.is_set()
        drained.set()

    loop.add_signal_handler(signal.SIGTERM, heard.set)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with stopping_after(drain):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(heard.wait(), 10)
            assert drained.is_set()
        assert signal.getsignal(signal.SIGTERM) == handler
        heard.clear()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(heard.wait(), 10)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
