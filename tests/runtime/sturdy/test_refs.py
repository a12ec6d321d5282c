"""Minting, restoring and revoking: every refusal is the same error, the log alone has the reason, and nothing ever
shows a token.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from capnweb_runtime.sturdy import BearerRestorer, MemoryRevocations, Restorer, SturdyRef
from tests.runtime.sturdy.forging import edited, part, signed
from tests.runtime.sturdy.service import KEY, NOON, OLD_KEY, Clock, Room, RoomApi, RoomKey, Service, refused


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged; no token of the test is in it, nor the signature of one."""
    caplog.set_level(logging.DEBUG)
    tokens: list[str] = []
    make = SturdyRef.__init__

    def noting(self: SturdyRef[Any], token: str) -> None:
        make(self, token)
        tokens.append(token)

    monkeypatch.setattr(SturdyRef, "__init__", noting)
    yield caplog
    for token in tokens:
        for text in (token, token.rpartition(".")[2]):
            assert len(text) < 20 or text not in caplog.text


class TestRestoring:
    async def test_a_reference_is_restored_as_often_as_it_is_asked_for(self, service: Service) -> None:
        ref = service.mint(7)
        first, second = await service.restore(ref), await service.restore(ref)
        assert first is not second
        assert [(room.number, room.principal) for room in (first, second)] == [(7, "ada")] * 2

    async def test_a_restorer_may_be_a_plain_function(self, service: Service) -> None:
        ref = service.refs.mint(service.invitations, RoomKey(3), principal="ada")
        room = await service.refs.restore(ref, service.invitations, principal="ada")
        assert (room.number, room.principal) == (3, "ada")

    async def test_it_may_be_asked_for_by_many_at_once(self, service: Service) -> None:
        ref = service.mint(7)
        rooms = await asyncio.gather(*(service.restore(ref) for _ in range(20)))
        assert len({id(room) for room in rooms}) == 20

    async def test_each_kind_is_made_by_its_own_restorer(self, service: Service) -> None:
        numbers = Restorer[RoomApi, int, int]("number", int, lambda number, principal: number)
        refs = service.mint(7), service.refs.mint(numbers, 5, principal="ada")
        found = [await service.refs.restore(ref, numbers, service.rooms, principal="ada") for ref in refs]
        assert found == [service.made[0], 5]

    async def test_the_log_says_what_happened(self, service: Service, log: pytest.LogCaptureFixture) -> None:
        ref = service.mint(7)
        await service.restore(ref)
        await service.refs.revoke(ref, principal="ada")
        await refused(service.restore(ref))
        id = part(ref, 1)["jti"]
        assert log.messages == [
            f"minted {id}: 'room' for 'ada', until 2027-02-14T08:00:00+00:00",
            f"restored {id}: 'room' for 'ada'",
            f"revoked {id}: 'room' for 'ada'",
            f"refused a reference {id} of 'ada': the token was revoked",
        ]
        assert {record.levelname for record in log.records} == {"INFO"}

    async def test_names_of_strangers_cannot_forge_a_line_of_the_log(
        self, service: Service, log: pytest.LogCaptureFixture
    ) -> None:
        await refused(service.restore(service.mint(), "eve\nINFO restored"))
        assert "\n" not in log.messages[-1]


BAD: dict[str, tuple[Callable[[Service], SturdyRef[RoomApi]], str]] = {
    "edited": (lambda service: edited(service.mint(), sub="eve"), "InvalidSignatureError"),
    "no token": (lambda service: SturdyRef("nonsense"), "no JWT"),
    "unsigned": (lambda service: SturdyRef(service.mint().token.rpartition(".")[0] + "."), "no JWT"),
    "old key": (lambda service: Service(keys=(OLD_KEY,)).mint(), "names no key"),
    "other issuer": (lambda service: Service(issuer="https://other.example").mint(), "InvalidIssuerError"),
    "other audience": (lambda service: Service(audience="other").mint(), "InvalidAudienceError"),
    "other principal": (lambda service: service.mint(7, "bob"), "another principal's"),
    "other kind": (
        lambda service: service.refs.mint(service.invitations, RoomKey(7), principal="ada"),
        "nothing of the kind 'invitation' is restored here",
    ),
    "wrong arguments": (lambda service: with_claims(service, arguments={"number": "7"}), "none of the kind 'room'"),
    "no arguments": (lambda service: with_claims(service, arguments=None), "none of the kind 'room'"),
    "for nobody": (lambda service: with_claims(service, sub=None), "for a principal alone"),
    "closed room": (lambda service: service.mint(13), "refused it: PermissionError: room 13 is closed to ada"),
}


def with_claims(service: Service, **claims: Any) -> SturdyRef[RoomApi]:
    """A token with a good signature of what this service would not say."""
    ref = service.mint()
    return signed(part(ref, 0), {**part(ref, 1), **claims}, KEY.secret)


class TestRefusing:
    @pytest.mark.parametrize("name", BAD)
    async def test_whatever_is_wrong_is_one_error(
        self, service: Service, log: pytest.LogCaptureFixture, name: str
    ) -> None:
        service.closed.add(13)
        make, reason = BAD[name]
        said = await refused(service.restore(make(service)), log)
        assert reason in said
        assert not service.made

    async def test_an_expired_reference_is_refused(self, service: Service, log: pytest.LogCaptureFixture) -> None:
        ref = service.refs.mint(service.rooms, RoomKey(7), principal="ada", lifetime=timedelta(minutes=5))
        service.clock.now += 299
        await service.restore(ref)
        service.clock.now += 1
        assert "expired" in await refused(service.restore(ref), log)
        assert "expired" in await refused(service.refs.revoke(ref, principal="ada"), log)

    @pytest.mark.parametrize("thief", ["bob", "", "Ada", "ada ", None])
    async def test_a_reference_that_was_overheard_is_of_no_use_to_another(
        self, service: Service, log: pytest.LogCaptureFixture, thief: str | None
    ) -> None:
        assert "another principal's" in await refused(service.restore(service.mint(7, "ada"), thief), log)
        assert not service.made

    async def test_whether_it_may_be_had_is_asked_each_time(self, service: Service) -> None:
        ref = service.mint(7)
        await service.restore(ref)
        service.closed.add(7)
        await refused(service.restore(ref))
        service.closed.clear()
        await service.restore(ref)

    async def test_a_thing_that_is_gone_is_refused_as_all_else_is(
        self, service: Service, log: pytest.LogCaptureFixture
    ) -> None:
        rooms: dict[int, Room] = {}
        found = Restorer[RoomApi, int, Room]("room", int, lambda number, principal: rooms[number])
        ref = service.refs.mint(found, 7, principal="ada")
        said = await refused(service.refs.restore(ref, found, principal="ada"), log)
        assert said.endswith("its restorer refused it: KeyError: 7")

    async def test_where_nothing_is_accepted_all_is_refused(self, service: Service) -> None:
        await refused(service.refs.restore(service.mint(), principal="ada"))


class TestFaults:
    """A good reference that cannot be restored just now is not refused: the caller may try again."""

    @pytest.mark.parametrize(
        "error", [ValueError("row 7"), OSError(5, "disk"), PermissionError(13, "file"), TimeoutError()]
    )
    async def test_what_a_restorer_raises_otherwise_is_a_fault(self, service: Service, error: Exception) -> None:
        def fail(number: int, principal: str) -> Room:
            raise error

        failing = Restorer[RoomApi, int, Room]("room", int, fail)
        ref = service.refs.mint(failing, 7, principal="ada")
        with pytest.raises(RuntimeError, match=r"^restoring a reference of the kind 'room' failed$") as caught:
            await service.refs.restore(ref, failing, principal="ada")
        assert caught.value.__cause__ is error

    async def test_nothing_is_restored_where_revocations_cannot_be_asked(self) -> None:
        class Broken(MemoryRevocations):
            async def is_revoked(self, id: str) -> bool:
                raise ValueError("no database")

            async def revoke(self, id: str, expires: int) -> None:
                raise ValueError("no database")

        service = Service(revocations=Broken())
        with pytest.raises(RuntimeError, match=r"^asking for revocations failed$"):
            await service.restore(service.mint())
        with pytest.raises(RuntimeError, match=r"^revoking failed$"):
            await service.refs.revoke(service.mint(), principal="ada")
        assert not service.made

    async def test_revocations_are_asked_for_genuine_references_alone(self) -> None:
        asked: list[str] = []

        class Noting(MemoryRevocations):
            async def is_revoked(self, id: str) -> bool:
                asked.append(id)
                return False

        service = Service(revocations=Noting())
        ref = service.mint()
        for bad in (edited(ref, jti="x"), SturdyRef[RoomApi]("x"), service.mint(7, "bob")):
            await refused(service.restore(bad))
        assert not asked
        await service.restore(ref)
        assert asked == [part(ref, 1)["jti"]]


class TestBearers:
    async def test_a_reference_for_nobody_is_for_whoever_bears_it(self, service: Service) -> None:
        ref = service.refs.mint(service.invitations, RoomKey(7), principal=None)
        for who in ("ada", "bob", None):
            room = await service.refs.restore(ref, service.invitations, principal=who)
            assert (room.number, room.principal) == (7, who)

    async def test_one_for_a_principal_is_for_that_one_alone(self, service: Service) -> None:
        ref = service.refs.mint(service.invitations, RoomKey(7), principal="ada")
        for who in ("bob", None):
            await refused(service.refs.restore(ref, service.invitations, principal=who))

    async def test_a_kind_that_is_none_for_bearers_any_more_refuses_theirs(self, service: Service) -> None:
        ref = service.refs.mint(service.invitations, RoomKey(7), principal=None)
        bound = Restorer[RoomApi, RoomKey, Room]("invitation", RoomKey, service.enter)
        for who in ("ada", None):
            await refused(service.refs.restore(ref, bound, principal=who))

    @pytest.mark.parametrize("principal", [None, ""])
    def test_a_kind_has_to_say_that_it_is_for_bearers(self, service: Service, principal: Any) -> None:
        with pytest.raises(
            ValueError, match="a reference of the kind 'room' is minted for a principal: give principal= a name"
        ):
            service.refs.mint(service.rooms, RoomKey(7), principal=principal)

    def test_an_empty_name_is_nobody_s(self, service: Service) -> None:
        with pytest.raises(ValueError, match="give principal= a name"):
            service.refs.mint(service.invitations, RoomKey(7), principal="")


class TestRevoking:
    async def test_one_that_was_revoked_stays_so(self, service: Service) -> None:
        ref, other = service.mint(7), service.mint(7)
        await service.refs.revoke(ref, principal="ada")
        await service.refs.revoke(ref, principal="ada")
        await refused(service.restore(ref))
        await service.restore(other)

    async def test_nobody_revokes_another_s(self, service: Service) -> None:
        ref = service.mint(7)
        for who in ("bob", None):
            await refused(service.refs.revoke(ref, principal=who))
        await refused(service.refs.revoke(edited(ref, sub="bob"), principal="bob"))
        await service.restore(ref)

    async def test_one_that_cannot_be_read_is_revoked_by_the_id_that_the_log_has(self, service: Service) -> None:
        ref = service.mint(7)
        claims = service.codec.decode(ref, NOON)
        await service.revocations.revoke(claims.id, claims.expires)
        await refused(service.restore(ref))


class TestMinting:
    def test_each_has_an_id_of_its_own(self, service: Service) -> None:
        assert len({part(service.mint(), 1)["jti"] for _ in range(100)}) == 100

    def test_a_reference_lives_for_thirty_days_unless_it_is_said_otherwise(self, service: Service) -> None:
        day = 24 * 3600
        assert part(service.mint(), 1)["exp"] == NOON + 30 * day
        ref = service.refs.mint(service.rooms, RoomKey(7), principal="ada", lifetime=timedelta(days=2))
        assert part(ref, 1)["exp"] == NOON + 2 * day

    @pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=900)])
    def test_one_that_would_not_live_is_not_made(self, service: Service, lifetime: timedelta) -> None:
        with pytest.raises(ValueError, match="a lifetime is a second or longer, not"):
            service.refs.mint(service.rooms, RoomKey(7), principal="ada", lifetime=lifetime)

    def test_arguments_of_another_type_are_not_minted(self, service: Service) -> None:
        wrong: Any = RoomKey("seven")  # type: ignore[arg-type]
        others: list[Any] = [wrong, {"number": 7, "tags": 5}, None, "7"]
        for arguments in others:
            with pytest.raises(TypeError, match="the kind 'room'"):
                service.refs.mint(service.rooms, arguments, principal="ada")

    def test_a_token_that_would_be_too_long_is_not_made(self, service: Service) -> None:
        with pytest.raises(ValueError, match="keep what is long in a database"):
            service.refs.mint(service.rooms, RoomKey(7, ("x" * 4000,)), principal="ada")


async def test_the_clock_of_the_machine_is_the_default() -> None:
    service = Service(clock=Clock())
    refs = type(service.refs)(service.codec, MemoryRevocations())
    anyone = BearerRestorer[RoomApi, int, int]("number", int, lambda number, principal: number)
    assert await refs.restore(refs.mint(anyone, 5, principal=None), anyone, principal=None) == 5
    await refused(refs.restore(service.mint(7).__class__("x.y.z"), anyone, principal=None))
