"""Errors of promises that nobody asked for are told at DEBUG, and not looked at where that is not shown."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.objects.promise_face import UnseenHook, unseen
from tests.runtime.conftest import Join
from tests.runtime.example import Desk, DeskStub
from tests.runtime.pair import begin

LOGGER = "capnweb_runtime.promises"


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, LOGGER)
    return caplog


def forget(promise: object) -> None:
    """Lets go of a promise without having looked at it."""


def told(log: pytest.LogCaptureFixture) -> list[str]:
    gc.collect()
    return [record.getMessage() for record in log.records if record.name == LOGGER]


def test_a_call_on_a_session_that_has_ended_is_told(join: Join, shown: pytest.LogCaptureFixture) -> None:
    pair = join(None, Desk(), clean=False)
    desk = pair.a.main(DeskStub)
    pair.a.session.abort(SessionClosed("over"))
    forget(desk.add(1, 2))
    assert told(shown) == ["DeskStub.add failed, and nobody awaited it: SessionClosed: over"]
    assert shown.records[0].levelno == logging.DEBUG


def test_so_is_one_of_a_stub_that_was_disposed(join: Join, shown: pytest.LogCaptureFixture) -> None:
    pair = join(None, Desk())
    counter = pair.wait(pair.a.main(DeskStub).counter())
    counter.dispose()
    forget(counter.increment())
    (text,) = told(shown)
    assert text.startswith("CounterStub.increment failed, and nobody awaited it: DisposedError: CounterStub.increment")


async def test_one_that_is_awaited_is_not(join: Join, shown: pytest.LogCaptureFixture) -> None:
    pair = join(None, Desk(), clean=False)
    desk = pair.a.main(DeskStub)
    pair.a.session.abort(SessionClosed("over"))
    promise = desk.add(1, 2)
    with pytest.raises(SessionClosed):
        await promise
    del promise
    assert told(shown) == []


async def test_an_answer_that_came_when_nobody_waited_any_more_is_told(
    join: Join, shown: pytest.LogCaptureFixture
) -> None:
    pair = join(None, Desk())
    promise: Any = pair.a.main(DeskStub).fail("no")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(promise, 0)
    pair.run()
    assert told(shown) == []
    del promise
    assert told(shown) == ["<RpcPromise of None from Desk.fail> failed, and nobody awaited it: ValueError: no"]


@pytest.mark.parametrize("look", ["await", "result", "exception", "gather"])
async def test_whoever_looks_at_it_has_seen_it(join: Join, shown: pytest.LogCaptureFixture, look: str) -> None:
    pair = join(None, Desk())
    promise: Any = pair.a.main(DeskStub).fail("no")
    begin(promise)
    pair.run()
    if look == "exception":
        assert isinstance(promise.exception(), ValueError)
    else:
        looking = {"await": lambda: promise, "gather": lambda: asyncio.gather(promise), "result": promise.result}[look]
        with pytest.raises(ValueError, match="no"):
            await looking()
    looking = promise = None
    assert told(shown) == []


def test_nothing_is_kept_where_it_is_not_shown(join: Join, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    assert unseen(ValueError("no"), object()) is None
    pair = join(None, Desk(), clean=False)
    desk = pair.a.main(DeskStub)
    pair.a.session.abort(SessionClosed("over"))
    promise = desk.add(1, 2)
    assert type(promise._hook) is ErrorHook
    with pytest.raises(SessionClosed):
        pair.wait(promise)


def test_a_hook_is_seen_once_it_has_been_asked(shown: pytest.LogCaptureFixture) -> None:
    hook = UnseenHook(ValueError("no"), "Desk.fail")
    hook.pull().then(lambda _: None, lambda _: None)  # type: ignore[union-attr]  # a rejected cell
    del hook
    assert told(shown) == []
    forget(UnseenHook(ValueError("no"), "Desk.fail"))
    assert told(shown) == ["Desk.fail failed, and nobody awaited it: ValueError: no"]
