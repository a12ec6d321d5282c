"""Events and calls reach one board, and what is wrong with either is told to whoever sent it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from capnweb_runtime.testing import PairFixture
from examples.backend.socketio.application import Rooms
from examples.backend.socketio.board import Board
from examples.backend.socketio.client import listening
from examples.backend.socketio.events import Entering, checked
from examples.backend.socketio.generated.rooms import RoomsStub
from examples.backend.socketio.schemas.rooms import Message
from examples.backend.socketio.server import running
from examples.form.testing import as_documented


class Sent:
    """An event server that keeps what it is told to send."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any, str | None]] = []

    def on(self, event: str, handler: object) -> None: ...

    def attach(self, app: object) -> None: ...

    async def emit(self, event: str, data: object, to: str | None = None) -> None:
        self.events.append((event, data, to))

    async def enter_room(self, sid: str, room: str) -> None: ...


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("backend/socketio")
    assert ran.number("the connection goes on") == 3


@pytest.mark.parametrize("payload", [None, 7, [], {}, {"room": 7}, {"room": None}])
async def test_a_payload_that_does_not_fit_is_told_and_the_handler_does_not_run(payload: object) -> None:
    async def handler(sid: str, entering: Entering) -> None:
        raise AssertionError("it ran")

    sent = Sent()
    assert await checked(sent, "enter", Entering, handler)("s1", payload) is None
    ((event, failure, to),) = sent.events
    assert (event, failure["event"], failure["code"], to) == ("error", "enter", "invalid", "s1")


async def test_what_a_handler_raises_is_in_the_log_and_not_in_the_event(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(sid: str, entering: Entering) -> None:
        raise RuntimeError("password of the database: 1234")

    sent = Sent()
    with caplog.at_level(logging.ERROR):
        await checked(sent, "enter", Entering, handler)("s1", {"room": "lobby"})
    ((_, failure, _),) = sent.events
    assert "1234" not in str(failure)
    reference = failure["message"].rsplit(" ", 1)[-1]
    assert reference in caplog.text
    assert "1234" in caplog.text


async def test_an_invalid_payload_is_told_without_what_it_holds() -> None:
    async def handler(sid: str, message: Message) -> None: ...

    sent = Sent()
    await checked(sent, "post", Message, handler)("s1", {"room": "x" * 30, "text": "my secret"})
    assert "x" * 21 not in str(sent.events)


async def test_rpc_checks_the_same_model(capnweb_pair: PairFixture) -> None:
    async def tell(message: Message) -> None: ...

    async with capnweb_pair(Rooms(Board(tell)), RoomsStub) as api:
        wrong = Message.model_construct(room="lobby", text="x" * 201)
        with pytest.raises(TypeError, match="text"):
            await api.post(wrong)
        assert await api.post(Message(room="lobby", text="fits")) == 1


async def test_a_client_that_is_in_no_room_is_told_nothing() -> None:
    async with running(0) as url, listening(url, "kitchen") as cook, listening(url, "lobby") as guest:
        assert await guest.ask("post", {"room": "lobby", "text": "hello"}) == 1
        assert await guest.next() == ("posted", {"room": "lobby", "text": "hello"})
        assert await cook.ask("post", {"room": "kitchen", "text": "soup"}) == 1
        assert await cook.next() == ("posted", {"room": "kitchen", "text": "soup"})
