"""The chat does what its README claims, for programs, on a terminal and in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from capnweb_runtime import RpcError
from capnweb_runtime.testing import PairFixture
from examples.bidirectional_chat.client import Member
from examples.bidirectional_chat.generated.chat import ChatStub
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.rooms import PASSWORD, Log
from examples.bidirectional_chat.schemas.chat import NameTaken, News, NotHere, Said, WrongPassword
from examples.bidirectional_chat.server import Chat, Hall
from examples.form.testing import as_documented

LIMIT = 100
"""Seconds in which whatever is waited for here has to come."""


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("bidirectional_chat")
    assert ran.number("messages on their way to the server, a call and that its answer is wanted") == 2
    assert ran.number("messages on their way to ada at that moment, the same of the server's") == 2
    assert (ran.number("times that ada was told"), ran.number("times that bob was told")) == (1, 1)
    assert ran.number("texts that she is told to have missed") == 150


@asynccontextmanager
async def member(
    pair: PairFixture, hall: Hall, name: str, ears: Heard, room: str = "hall"
) -> AsyncGenerator[tuple[Member, ChatStub]]:
    """Somebody in a room, by a session of their own."""
    async with asyncio.timeout(LIMIT), pair(Chat(hall), ChatStub) as stub:
        one = Member(name, PASSWORD, room, ears)
        await one.come_in(stub)
        yield one, stub
        one.go()


@pytest.mark.capnweb(no_leaks=True)
async def test_leaving_a_room_and_the_house_leaves_nothing_at_the_server(capnweb_pair: PairFixture) -> None:
    hall, ears = Hall(), Heard()
    async with member(capnweb_pair, hall, "ada", ears):
        await ears.until_here("ada")
        assert list(hall.houses) == ["ada"]
    assert not hall.houses
    assert not hall.rooms["hall"].places


async def test_who_joins_a_room_again_is_in_it_once(capnweb_pair: PairFixture) -> None:
    hall, ears = Hall(), Heard()
    async with member(capnweb_pair, hall, "ada", ears) as (ada, _):
        again = await ada.house.join("hall")
        assert await again.present() == ["ada"]
        with pytest.raises(NotHere, match="after your cursor"):
            await ada.room.say("from the place before")
        assert await again.say("from the new one") == 4


async def test_the_name_of_one_who_does_not_answer_is_free(capnweb_pair: PairFixture) -> None:
    class Silent(Heard):
        def alive(self) -> None:
            raise RpcError("I do not answer")

    hall, silent = Hall(), Silent()
    async with member(capnweb_pair, hall, "ada", silent) as (ada, first):
        async with member(capnweb_pair, hall, "ada", Heard()) as (second, _):
            with pytest.raises(NotHere):
                await ada.house.join("hall")
            assert await second.room.present() == ["ada"]
            assert [type(event).__name__ for event in hall.rooms["hall"].log.after(0).events] == [
                "Came",
                "Went",
                "Came",
            ]
        async with member(capnweb_pair, hall, "bob", Heard()) as (bob, _):
            with pytest.raises(NameTaken) as caught:
                await first.enter("bob", PASSWORD, silent)
            assert caught.value.taken == "bob"
            assert await bob.room.present() == ["bob"]


async def test_a_wrong_password_of_any_kind_opens_nothing(capnweb_pair: PairFixture) -> None:
    hall = Hall()
    async with capnweb_pair(Chat(hall), ChatStub) as stub:
        for wrong in ("", "Correct horse", "correct horse ", "пароль"):
            with pytest.raises(WrongPassword):
                await stub.enter("eve", wrong, Heard()).join("hall")
    assert not hall.houses


@pytest.mark.parametrize("text", ["", "x" * 501])
async def test_texts_that_the_schema_does_not_allow_never_reach_the_room(capnweb_pair: PairFixture, text: str) -> None:
    hall = Hall()
    async with member(capnweb_pair, hall, "ada", Heard()) as (ada, _):
        with pytest.raises(TypeError, match="'text': expected str of length"):
            await ada.room.say(text)
        assert hall.rooms["hall"].log.last == 1
        assert await ada.room.say("x" * 500) == 2


async def test_one_whose_ears_fail_is_put_out_and_the_others_hear_on(capnweb_pair: PairFixture) -> None:
    class Broken(Heard):
        async def happened(self, room: str, news: News) -> None:
            raise RpcError("no ears")

    hall, ears = Hall(), Heard()
    async with member(capnweb_pair, hall, "ada", ears) as (ada, _), member(capnweb_pair, hall, "eve", Broken()):
        assert (await ears.until_gone("eve")).why == "deaf"
        await ears.until(await ada.room.say("still here"))


def test_a_log_keeps_the_newest_and_counts_what_it_has_forgotten() -> None:
    log = Log(3)
    assert log.after(0) == News(events=[])
    for _ in range(5):
        log.add(lambda number: Said(number=number, name="ada", text=str(number)))
    assert len(log) == 3
    numbers = {cursor: [event.number for event in log.after(cursor).events] for cursor in range(6)}
    assert numbers == {0: [3, 4, 5], 1: [3, 4, 5], 2: [3, 4, 5], 3: [4, 5], 4: [5], 5: []}
    assert [log.after(cursor).lost for cursor in range(6)] == [2, 1, 0, 0, 0, 0]
    assert log.after(0, most=2) == News(events=log.after(2).events[:2], lost=2)


async def test_a_cursor_of_a_log_that_is_gone_begins_at_the_beginning(capnweb_pair: PairFixture) -> None:
    hall, ears = Hall(), Heard()
    ears.cursor = 1000
    async with member(capnweb_pair, hall, "ada", ears):
        await ears.until_here("ada")
    assert ears.cursor == 1
