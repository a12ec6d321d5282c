"""The chat does what its README claims, for programs, on a terminal and in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from capnweb_runtime.testing import PairFixture
from examples.bidirectional_chat.client import Member
from examples.bidirectional_chat.generated.chat import ChatStub
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.schemas.chat import Came, NameTaken, NoSuchRoom, Said, Went, WrongPassword
from examples.bidirectional_chat.server import PASSWORD, Chat, Hall, opened
from examples.form.testing import Ran, as_documented
from tests.needs import needs_redis
from tests.runtime.scale.servers import RedisServer

LIMIT = 100
"""Seconds in which whatever is waited for here has to come."""


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The URL of a Redis of this file's own."""
    server = RedisServer()
    yield server.url
    server.close()


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with opened(ttl=0.3) as hall:
        yield hall


def numbers(ran: Ran) -> None:
    assert ran.number("messages on their way to the server, a call and that its answer is wanted") == 2
    assert ran.number("messages on their way to ada at that moment, the same of the server's") == 2
    assert (ran.number("times that ada was told"), ran.number("times that bob was told")) == (1, 1)
    assert ran.claims["what she is told when she listens again"] == "['slow']"


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    numbers(as_documented("bidirectional_chat"))


@needs_redis
def test_it_prints_the_same_with_its_members_at_two_servers(redis: str) -> None:
    numbers(as_documented("bidirectional_chat", "--backplane", redis))


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
async def test_leaving_a_room_and_the_house_leaves_nothing_at_the_server(capnweb_pair: PairFixture, hall: Hall) -> None:
    ears, others = Heard(), Heard()
    async with member(capnweb_pair, hall, "bob", others) as (bob, _):
        async with member(capnweb_pair, hall, "ada", ears):
            await ears.until(Came(name="ada"))
            assert await bob.room.present() == ["bob", "ada"]
        await others.until(Went(name="ada", why="left"))
        assert await bob.room.present() == ["bob"]


async def test_who_joins_a_room_again_is_in_it_once(capnweb_pair: PairFixture, hall: Hall) -> None:
    ears = Heard()
    async with member(capnweb_pair, hall, "ada", ears) as (ada, _), await ada.house.join("hall") as again:
        assert await again.present() == ["ada"]
        ada.room.dispose()
        await again.say("from the new one")
        await ears.until(Said(name="ada", text="from the new one"))
        assert [each.kind for each in ears.events] == ["came", "said"]
        assert await again.present() == ["ada"]


async def test_a_name_is_free_for_others_once_its_holder_has_left(capnweb_pair: PairFixture, hall: Hall) -> None:
    ears = Heard()
    async with member(capnweb_pair, hall, "bob", ears) as (bob, stub):
        async with member(capnweb_pair, hall, "ada", Heard()):
            with pytest.raises(NameTaken) as caught:
                await stub.enter("ada", PASSWORD, "another key", bob)
            assert caught.value.taken == "ada"
        await ears.until(Went(name="ada", why="left"))
        async with member(capnweb_pair, hall, "ada", Heard()):
            assert await bob.room.present() == ["bob", "ada"]


@needs_redis
async def test_who_has_the_key_has_the_name_again_at_any_server(redis: str, capnweb_pair: PairFixture) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(LIMIT):
        here, there = [await stack.enter_async_context(opened(redis)) for _ in range(2)]
        first = await stack.enter_async_context(capnweb_pair(Chat(here), ChatStub))
        second = await stack.enter_async_context(capnweb_pair(Chat(there), ChatStub))
        ears = Heard()
        ada = Member("ada", PASSWORD, "library", ears)
        await ada.come_in(first)
        before = ada.house, ada.room, ada.hearing
        with pytest.raises(NameTaken):
            await second.enter("ada", PASSWORD, "another key", ada)
        await ada.come_in(second)
        for held in before:
            held.dispose()
        await ada.room.say("I am here")
        await ears.until(Said(name="ada", text="I am here"))
        assert await ada.room.present() == ["ada"]
        assert ears.events.count(Came(name="ada")) == 1
        ada.go()


async def test_a_wrong_password_of_any_kind_opens_nothing(capnweb_pair: PairFixture, hall: Hall) -> None:
    async with capnweb_pair(Chat(hall), ChatStub) as stub:
        for wrong in ("", "Correct horse", "correct horse ", "пароль"):
            with pytest.raises(WrongPassword):
                await stub.enter("eve", wrong, "key", Member("eve", wrong, "hall", Heard())).join("hall")
    assert await hall.presence.members("door") == {}


@pytest.mark.parametrize("text", ["", "x" * 501])
async def test_texts_that_the_schema_does_not_allow_never_reach_the_room(
    capnweb_pair: PairFixture, hall: Hall, text: str
) -> None:
    ears = Heard()
    async with member(capnweb_pair, hall, "ada", ears) as (ada, _):
        with pytest.raises(TypeError, match="'text': expected str of length"):
            await ada.room.say(text)
        await ada.room.say("x" * 500)
        await ears.until(Said(name="ada", text="x" * 500))
        assert [each.kind for each in ears.events] == ["came", "said"]


async def test_a_room_that_is_not_there_is_neither_heard_nor_joined(capnweb_pair: PairFixture, hall: Hall) -> None:
    ears = Heard()
    async with member(capnweb_pair, hall, "ada", ears) as (ada, _):
        for call in (ada.house.join("cellar"), ada.house.events("cellar").subscribe(ears.deliver)):
            with pytest.raises(NoSuchRoom):
                await call
        assert await ada.house.rooms() == ["hall", "library"]
