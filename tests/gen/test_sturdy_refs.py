"""Sturdy references between generated stubs and skeletons: saved in one session, restored in others."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from capnweb_runtime import AnyStub, SturdyRef, connect, serve
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.serving.server import Server
from capnweb_runtime.sturdy import MemoryRevocations, Restorer, SturdyRefs, TokenCodec, TokenKey
from capnweb_runtime.sturdy.refs import REFUSED
from capnweb_runtime.testing import pair
from capnweb_runtime.transports import memory
from tests.gen.conftest import Serve
from tests.gen.golden.sturdy_refs import expected as made
from tests.gen.golden.sturdy_refs.schema import Bookmark, Box, Door, Entry, RoomApi, Sign, UserApi, Visit

KEY = TokenKey("k", b"k" * 32)


class Chat:
    """Rooms, who may enter them, and what was said in each."""

    def __init__(self) -> None:
        codec = TokenCodec([KEY], issuer="https://chat.example", audience="chat")
        self.refs = SturdyRefs(codec, MemoryRevocations())
        self.rooms = Restorer[RoomApi, str, Room]("room", str, self.enter)
        self.said: dict[str, list[str]] = {"lobby": [], "attic": []}
        self.banned: set[str] = set()

    async def enter(self, name: str, user: str) -> Room:
        if user in self.banned:
            raise PermissionError(f"{user} is banned from {name}")
        return Room(self, name, user, self.said[name])


class Room(made.RoomApiTarget):
    def __init__(self, chat: Chat, name: str, user: str, said: list[str]) -> None:
        self._chat, self._name, self._user, self._said = chat, name, user, said

    async def save(self) -> SturdyRef[RoomApi]:
        return self._chat.refs.mint(self._chat.rooms, self._name, principal=self._user, lifetime=timedelta(hours=1))

    async def say(self, text: str) -> int:
        self._said.append(f"{self._user}: {text}")
        return len(self._said)


class User(made.UserApiTarget):
    def __init__(self, chat: Chat, name: str) -> None:
        self._chat, self._name = chat, name

    @property
    def home(self) -> SturdyRef[RoomApi] | None:
        return None

    def save(self) -> SturdyRef[UserApi]:
        raise NotImplementedError

    async def room(self, name: str) -> Room:
        return await self._chat.enter(name, self._name)

    async def restore(self, ref: SturdyRef[RoomApi]) -> Room:
        return await self._chat.refs.restore(ref, self._chat.rooms, principal=self._name)

    async def forget(self, *refs: SturdyRef[RoomApi], of: SturdyRef[UserApi] | None = None) -> None:
        for ref in refs:
            await self._chat.refs.revoke(ref, principal=self._name)

    def bookmark(self, mark: Bookmark, visits: list[Visit]) -> Mapping[str, Bookmark]:
        return {"mark": mark, "visit": Bookmark(room=visits[0].room, near=list(visits[0].with_))}

    def doors(self, sign: Sign, box: Box[SturdyRef[RoomApi]]) -> tuple[Door, SturdyRef[RoomApi]]:
        return Door(sign["room"], 1), box.content

    async def entry(self, ref: SturdyRef[RoomApi] | int) -> Entry:
        assert isinstance(ref, SturdyRef)
        return Entry(room=await self.restore(ref), ref=ref)

    async def on_saved(self, tell: rpc.CallbackStub[[SturdyRef[RoomApi]], None]) -> None:
        room = await self._chat.enter("attic", self._name)
        await tell(await room.save())


@pytest.fixture
def chat() -> Chat:
    return Chat()


@pytest.fixture
async def server(chat: Chat) -> AsyncIterator[Server]:
    """The user says who they are in a header."""
    async with serve(lambda peer: User(chat, peer.headers["X-User"]), "127.0.0.1", 0) as server:
        yield server


@asynccontextmanager
async def signed_in(server: Server, user: str) -> AsyncIterator[made.UserApiStub]:
    async with connect(server.url, made.UserApiStub, headers={"X-User": user}) as stub:
        yield stub


async def saved(server: Server, user: str = "ada") -> SturdyRef[RoomApi]:
    """A reference to the lobby, of a session that is over."""
    async with signed_in(server, user) as stub:
        return await stub.room("lobby").save()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that is logged, messages of sessions included."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "capnweb_runtime.wire")
    return caplog


class TestSessions:
    async def test_what_was_saved_in_one_is_restored_in_the_next(self, server: Server, chat: Chat) -> None:
        ref = await saved(server)
        async with signed_in(server, "ada") as user:
            assert await user.restore(ref).say("back again") == 1
        assert chat.said["lobby"] == ["ada: back again"]

    async def test_it_may_be_stored_in_between(self, server: Server) -> None:
        ref = await saved(server)
        stored = Bookmark(room=ref).model_dump_json()
        async with signed_in(server, "ada") as user:
            assert await user.restore(Bookmark.model_validate_json(stored).room).say("a") == 1
            assert await user.restore(pickle.loads(pickle.dumps(ref))).say("b") == 2
            assert await user.restore(SturdyRef[RoomApi](ref.token)).say("c") == 3

    async def test_saving_and_restoring_take_one_round_trip_together(self, chat: Chat) -> None:
        joined = pair(User(chat, "ada"), made.UserApiStub, no_leaks=True)
        async with joined as user:
            assert await user.restore(user.room("lobby").save()).say("hello") == 1
            assert joined.stats().round_trips == 1

    async def test_two_at_once_restore_objects_of_their_own(self, server: Server) -> None:
        ref = await saved(server)
        async with signed_in(server, "ada") as one, signed_in(server, "ada") as other:
            first, second = await asyncio.gather(one.restore(ref), other.restore(ref))
            assert sorted(await asyncio.gather(first.say("a"), second.say("b"))) == [1, 2]
            first.dispose()
            assert await second.say("c") == 3

    async def test_restoring_leaves_the_exports_of_other_sessions_alone(self, chat: Chat) -> None:
        bystander, theirs = memory.pair(User(chat, "bob"), None)
        server, client = memory.pair(User(chat, "ada"), None)
        bob, ada = made.UserApiStub(theirs.session.remote_main), made.UserApiStub(client.session.remote_main)
        room = await bob.room("attic")
        theirs_before, ours_before = await exports(bystander, bob), await exports(server, ada)
        ref = await ada.room("lobby").save()
        restored = await ada.restore(ref)
        with pytest.raises(PermissionError):
            await ada.restore(SturdyRef(ref.token[:-2]))
        assert await exports(server, ada) == ours_before + 1
        assert await exports(bystander, bob) == theirs_before
        assert await room.say("still here") == 1
        for stub in (restored, room, ada, bob):
            stub.dispose()
        await server.wait_closed()
        await bystander.wait_closed()


async def exports(side: Connection, main: made.UserApiStub) -> int:
    """How many objects a side has given out, after one more call, by which it knows what was given back."""
    assert await main.home is None
    return side.stats().exports


class TestRefusals:
    async def test_each_is_the_same_error_for_the_peer(self, server: Server, chat: Chat) -> None:
        ref, theirs, gone = await saved(server), await saved(server, "bob"), await saved(server)
        del chat.said["attic"]
        attic = chat.refs.mint(chat.rooms, "attic", principal="ada")
        async with signed_in(server, "ada") as user:
            await user.forget(gone)
            for bad in (SturdyRef[RoomApi]("nonsense"), SturdyRef[RoomApi](ref.token + "A"), theirs, gone, attic):
                with pytest.raises(PermissionError) as caught:
                    await user.restore(bad)
                assert caught.value.args == (REFUSED,)
                assert caught.value.__cause__ is None
            assert await user.restore(ref).say("the session lives") == 1

    async def test_who_may_not_enter_any_more_is_refused(self, server: Server, chat: Chat) -> None:
        ref = await saved(server)
        chat.banned.add("ada")
        async with signed_in(server, "ada") as user:
            with pytest.raises(PermissionError, match=f"^{REFUSED}\n"):
                await user.restore(ref)

    async def test_a_refusal_that_the_schema_declares_is_no_failure_of_the_server(
        self, server: Server, log: pytest.LogCaptureFixture
    ) -> None:
        async with signed_in(server, "ada") as user:
            with pytest.raises(PermissionError):
                await user.restore(SturdyRef("nonsense"))
        assert not [record for record in log.records if record.levelno > logging.INFO]
        assert "refused a reference of 'ada': the token is no JWT" in log.messages

    async def test_a_fault_is_told_with_a_reference_number_alone(self, server: Server, chat: Chat) -> None:
        ref = await saved(server)

        def fail(name: str, user: str) -> Room:
            raise ValueError(f"select * from rooms where name = {name!r}")

        chat.rooms = Restorer("room", str, fail)
        async with signed_in(server, "ada") as user:
            with pytest.raises(Exception, match=r"^The call failed; .* under reference \w+\.\n") as caught:
                await user.restore(ref)
        assert caught.value.__cause__ is None


class TestOnTheWire:
    async def test_they_are_strings_in_any_place(self, served: Serve, chat: Chat) -> None:
        class Ada(User):
            def __init__(self) -> None:
                super().__init__(chat, "ada")

        user = served(Ada, made.UserApiStub)
        ref = await user.room("lobby").save()
        owner: SturdyRef[UserApi] = SturdyRef("owner")
        mark = Bookmark(room=ref, near=[ref], owner=owner)
        both = await user.bookmark(mark, [Visit(ref, frozenset([ref]))])
        assert both == {"mark": mark, "visit": Bookmark(room=ref, near=[ref])}
        assert await user.bookmark(mark, [Visit(ref)])["mark"].owner == owner
        assert await user.doors({"room": ref}, Box[SturdyRef[RoomApi]](content=ref)) == (Door(ref, 1), ref)
        assert await user.home is None
        entry = await user.entry(ref)
        assert entry.ref == ref
        told: list[SturdyRef[RoomApi]] = []
        await user.on_saved(told.append)
        assert [type(one) for one in told] == [SturdyRef]
        assert await user.restore(told[0]).say("up here") == 1

    async def test_untyped_peers_see_plain_strings(self, server: Server) -> None:
        async with connect(server.url, AnyStub, headers={"X-User": "ada"}) as user:
            token = await user.call("room", "lobby").call("save")
            assert type(token) is str
            assert await user.call("restore", token).call("say", "as text") == 1
            assert await user.call("restore", SturdyRef[RoomApi](token)).call("say", "as a reference") == 2

    @pytest.mark.parametrize("token", ["x" * 4097, "x" * 1_000_000, "", 7, None, ["x"], {"token": "x"}])
    async def test_what_cannot_be_a_token_is_refused_before_it_is_parsed(
        self, server: Server, token: Any, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
    ) -> None:
        def parse(*arguments: object) -> None:
            raise AssertionError("it was parsed")

        monkeypatch.setattr(TokenCodec, "decode", parse)
        async with connect(server.url, AnyStub, headers={"X-User": "ada"}) as user:
            with pytest.raises(
                TypeError, match=r"argument 'ref': expected a SturdyRef, a string of 1 to 4096"
            ) as caught:
                await user.call("restore", token)
            assert len(str(caught.value)) < 150
            assert len(str(caught.value.props)) < 300  # type: ignore[attr-defined]  # what travels with it
            assert type(await user.call("room", "lobby").call("save")) is str
        assert "x" * 1000 not in log.text

    async def test_a_string_in_place_of_one_is_refused_where_it_is_sent_and_not_shown(self, server: Server) -> None:
        token: Any = (await saved(server)).token
        async with signed_in(server, "ada") as user:
            with pytest.raises(
                TypeError, match=r"expected a SturdyRef, made of its token: SturdyRef\(token\), got a str"
            ):
                await user.restore(token)

    async def test_one_in_the_wrong_place_is_not_shown(self, server: Server) -> None:
        ref: Any = await saved(server)
        async with signed_in(server, "ada") as user:
            with pytest.raises(TypeError, match="expected str, got an instance of SturdyRef"):
                await user.room(ref)
            with pytest.raises(TypeError, match="expected a SturdyRef") as caught:
                await user.bookmark(Bookmark(room=ref, near=[ref]).model_copy(update={"owner": 5}), [])
            assert ref.token not in str(caught.value)

    async def test_no_log_and_no_error_ever_shows_one(self, server: Server, log: pytest.LogCaptureFixture) -> None:
        ref, theirs = await saved(server), await saved(server, "bob")
        async with signed_in(server, "ada") as user:
            await user.restore(ref).say("hello")
            await user.bookmark(Bookmark(room=ref, near=[ref, theirs]), [Visit(ref)])
            with pytest.raises(PermissionError) as caught:
                await user.restore(theirs)
            await user.forget(ref)
        async with connect(server.url, AnyStub, headers={"X-User": "ada"}) as untyped:
            with pytest.raises(TypeError, match=r"argument 'mark.room': expected a SturdyRef") as wrong:
                await untyped.call("bookmark", {"room": [[ref.token]]}, [])
        shown = [log.text, str(caught.value), repr(caught.value), str(wrong.value), f"{ref} {ref!r} {[ref]}"]
        assert "capnweb_runtime.wire" in log.text
        for token in (ref.token, theirs.token):
            _, claims, mac = token.split(".")
            assert not [text for text in shown if claims[10:40] in text or mac[:20] in text]
