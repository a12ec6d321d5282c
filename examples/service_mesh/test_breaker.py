"""The breaker of the mesh: what opens it, what it lets through, and what says nothing about a service."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import deadline
from capnweb_runtime.scale import MemoryBackplane
from capnweb_runtime.testing import PairFixture
from examples.service_mesh.breaker import Breaker
from examples.service_mesh.generated.orders import OrdersStub
from examples.service_mesh.orders import Orders
from examples.service_mesh.schemas.orders import Unavailable


class Clock:
    """A clock that a test puts forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def state(breaker: Breaker) -> str:
    """How it stands; a type checker takes an attribute to be what it was."""
    return breaker.state


async def failing() -> str:
    raise ConnectionError("nobody there")


async def answering() -> str:
    return "answer"


async def opened(clock: Clock) -> Breaker:
    """A breaker that two failures have opened, for 10 seconds."""
    breaker = Breaker(failures=2, rest=10.0, clock=clock)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await breaker.guard(failing)
    assert state(breaker) == "open"
    return breaker


async def test_failures_in_a_row_open_it_and_an_answer_between_them_begins_anew() -> None:
    breaker = Breaker(failures=2, clock=Clock())
    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            await breaker.guard(failing)
        assert caught.value.retry_after == 0
        assert await breaker.guard(answering) == "answer"
        assert state(breaker) == "closed"


async def test_while_it_is_open_nothing_is_asked_and_the_error_says_for_how_long() -> None:
    clock = Clock()
    breaker = await opened(clock)
    clock.now = 4.0
    with pytest.raises(Unavailable) as caught:
        await breaker.guard(answering)
    assert caught.value.retry_after == 6.0
    assert breaker.refused == 1


async def test_half_open_it_lets_one_call_pass_which_decides() -> None:
    clock, answer = Clock(), asyncio.Event()
    breaker = await opened(clock)

    async def slowly() -> bool:
        return await answer.wait()

    clock.now = 10.0
    assert state(breaker) == "half-open"
    async with asyncio.TaskGroup() as tasks:
        probe = tasks.create_task(breaker.guard(slowly))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await breaker.guard(answering)
        answer.set()
    assert probe.result()
    assert state(breaker) == "closed"


async def test_a_probe_that_fails_opens_it_again_and_one_that_is_cancelled_says_nothing() -> None:
    clock = Clock()
    breaker = await opened(clock)
    clock.now = 10.0
    probe = asyncio.create_task(breaker.guard(asyncio.Event().wait))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert state(breaker) == "half-open"
    with pytest.raises(Unavailable):
        await breaker.guard(failing)
    assert state(breaker) == "open"


async def test_late_is_a_failure_and_an_error_of_the_service_is_an_answer() -> None:
    breaker = Breaker(failures=1, clock=Clock())

    async def refusing() -> None:
        raise PermissionError("not for you")

    async def late() -> None:
        raise TimeoutError("too late")

    async def silent() -> None:
        await asyncio.Event().wait()

    with pytest.raises(PermissionError):
        await breaker.guard(refusing)
    assert state(breaker) == "closed"
    with pytest.raises(TimeoutError):
        await breaker.guard(late)
    assert state(breaker) == "open"
    breaker = Breaker(failures=1, clock=Clock())
    with deadline(0):
        cancelled = asyncio.create_task(breaker.guard(silent))  # as a server does with a call whose time is over
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert state(breaker) == "open"


async def test_as_an_interceptor_it_refuses_calls_of_what_it_guards_and_no_others(
    capnweb_pair: PairFixture,
) -> None:
    breaker = Breaker({"OrderBook"}, failures=1, clock=Clock())
    with pytest.raises(Unavailable):
        await breaker.guard(failing)
    async with capnweb_pair(Orders(MemoryBackplane()), OrdersStub, interceptors=[breaker]) as orders:
        book = await orders.book("Ada")  # which is no call of an OrderBook
        with pytest.raises(Unavailable) as caught:
            await book.orders()
        assert caught.value.retry_after == 5.0
        book.dispose()
