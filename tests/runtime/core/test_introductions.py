"""Two ends of this implementation say of which interface an object is, and a plain mistake is told where it is made."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import connect, serve
from capnweb_runtime.core.introductions import MOST, Introductions


def target(name: str, *members: str) -> Any:
    return type("Target", (), {"_rpc_interface": name, "_rpc_members": {member: (member, None) for member in members}})


ROOM_CLASS = target("Room", "say", "title")


class TestWhatIsSaid:
    def test_the_members_once_and_the_name_every_time(self) -> None:
        said = Introductions()
        assert [said.of(ROOM_CLASS), said.of(ROOM_CLASS)] == [["Room", ["say", "title"]], ["Room"]]


class TestWhatIsHeard:
    @pytest.mark.parametrize(
        ("declared", "mistake"),
        [
            (target("Room", "say", "title"), None),
            (target("Room", "say", "title", "new"), None),
            (target("Chamber", "say"), None),
            (target("Door", "say", "open", "shut"), "an object of the interface Room, which has no 'open', 'shut'"),
        ],
        ids=["the same", "an older one", "another name", "another interface"],
    )
    def test_what_is_refused_is_another_name_with_members_missing(self, declared: Any, mistake: str | None) -> None:
        heard = Introductions()
        for said in (["Room", ["say", "title"]], ["Room"]):
            interface = heard.heard(said)
            assert interface is not None
            assert interface.mistake(declared) == mistake

    @pytest.mark.parametrize(
        "said",
        [["Room"], [1], [None], ["x" * 300, []], ["Room", "say"], ["Room", ["say"] * (MOST + 1)], [["Room"], []]],
        ids=lambda said: str(said)[:20],
    )
    def test_what_says_nothing_is_ignored(self, said: list[Any]) -> None:
        assert Introductions().heard(said) is None

    def test_no_more_interfaces_are_remembered_than_anybody_has(self) -> None:
        heard = Introductions()
        for number in range(2 * MOST):
            heard.heard([f"I{number}", []])
        assert len(heard._heard) == MOST


class DoorSpec(rpc.Interface):
    open = rpc.method("open", rpc.STR)


class DoorStub(rpc.Calls, rpc.RpcStub):
    def open(self) -> rpc.RpcPromise[str]:
        return self._call(DoorSpec.open)


class DoorTarget(rpc.RpcTarget, spec=DoorSpec):
    def open(self) -> str:
        return "open"


class RoomSpec(rpc.Interface):
    say = rpc.method("say", rpc.STR)


class RoomTarget(rpc.RpcTarget, spec=RoomSpec):
    def say(self) -> str:
        return "said"


DOOR = rpc.interface(lambda: DoorStub, lambda: rpc.RpcPromise, lambda: DoorTarget)
ROOM = rpc.interface(lambda: rpc.RpcStub, lambda: rpc.RpcPromise, lambda: RoomTarget)


class HallSpec(rpc.Interface):
    use = rpc.method("use", rpc.STR, rpc.param("door", DOOR))
    make = rpc.method("make", DOOR)


class HallTarget(rpc.RpcTarget, spec=HallSpec):
    async def use(self, door: DoorStub) -> str:
        return await door.open()

    def make(self) -> DoorTarget:
        return DoorTarget()


class MistakenSpec(rpc.Interface):
    """What a client has that was compiled from another schema."""

    use = rpc.method("use", rpc.STR, rpc.param("room", ROOM))
    make = rpc.method("make", ROOM)


class MistakenStub(rpc.Calls, rpc.RpcStub):
    def use(self, room: RoomTarget) -> rpc.RpcPromise[str]:
        return self._call(MistakenSpec.use, room)

    def make(self) -> rpc.RpcPromise[Any]:
        return self._call(MistakenSpec.make)


class HallStub(rpc.Calls, rpc.RpcStub):
    def use(self, door: DoorTarget) -> rpc.RpcPromise[str]:
        return self._call(HallSpec.use, door)


class TestSessions:
    async def test_an_object_of_another_interface_is_refused_when_it_arrives(self) -> None:
        async with (
            serve(lambda peer: HallTarget(), "127.0.0.1", 0) as server,
            connect(server.url, MistakenStub) as api,
        ):
            expected = r"argument 'door': expected DoorTarget or DoorStub, got an object of the interface Room"
            for _ in range(2):
                with pytest.raises(TypeError, match=expected):
                    await api.use(RoomTarget())
            with pytest.raises(
                TypeError, match=r"result: expected .* got an object of the interface Door, which has no 'say'"
            ):
                await api.make()

    async def test_one_that_is_what_was_declared_is_not(self) -> None:
        async with serve(lambda peer: HallTarget(), "127.0.0.1", 0) as server, connect(server.url, HallStub) as api:
            assert [await api.use(DoorTarget()) for _ in range(3)] == ["open"] * 3

    async def test_a_peer_that_has_not_agreed_is_told_nothing_and_the_call_fails_where_it_is_made(self) -> None:
        plain = {"Sec-WebSocket-Protocol": ""}
        async with (
            serve(lambda peer: HallTarget(), "127.0.0.1", 0, errors="all") as server,
            connect(server.url, MistakenStub, headers=plain) as api,
        ):
            with pytest.raises(TypeError, match="'open' is not a function of Room"):
                await api.use(RoomTarget())
