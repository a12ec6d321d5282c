"""Exceptions that methods declare, between generated stubs and skeletons with a session in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from capnweb_runtime import RpcError, RpcPromise
from tests.gen.conftest import Serve
from tests.gen.golden.raises import expected as api
from tests.gen.golden.raises.schema import NotFound, Profile, QuotaExceeded, StorageError

TONIGHT = datetime(2030, 1, 1, tzinfo=UTC)


class UserNotFound(NotFound):
    """What the interface does not know of."""


class Directory(api.DirectoryTarget):
    def find(self, user_id: int) -> Profile:
        match user_id:
            case 1:
                return Profile(id=1, name="ada")
            case 2:
                raise QuotaExceeded("too many", 3, TONIGHT, [Profile(id=1, name="ada")])
            case 3:
                raise UserNotFound("no such user") from LookupError("the cause")
            case 4:
                raise QuotaExceeded("not even a number", "three")  # type: ignore[arg-type]
            case 5:
                raise StorageError("which find does not declare")
            case _:
                raise NotFound("no such user")

    async def store(self, profile: Profile) -> api.DirectoryTarget:
        if profile.id == 1:
            raise PermissionError("not yours")
        if profile.id == 2:
            return self
        error = StorageError("full")
        error.disk = "sda"
        raise error

    @property
    def owner(self) -> Profile:
        raise NotFound("nobody's")

    async def download(self, user_id: int) -> AsyncIterator[bytes]:
        yield b"the first"
        raise NotFound("the rest is gone")

    def names(self, profile: Profile) -> list[str]:
        return [profile.name]

    def ids(self) -> list[int]:
        return [1, 9]


async def test_what_a_target_raises_arrives_as_the_very_class(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    with pytest.raises(NotFound, match=r"^no such user\nraised by the peer") as caught:
        await directory.find(9)
    assert type(caught.value) is NotFound
    assert caught.value.args == ("no such user",)


async def test_attributes_travel_by_their_types(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    with pytest.raises(QuotaExceeded, match=r"^too many\nraised by the peer") as caught:
        await directory.find(2)
    assert caught.value == QuotaExceeded("too many", 3, TONIGHT, [Profile(id=1, name="ada")])


async def test_an_undeclared_subclass_arrives_as_what_is_declared_with_its_cause(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    with pytest.raises(NotFound) as caught:
        await directory.find(3)
    assert type(caught.value) is NotFound
    assert repr(caught.value.__cause__) == "LookupError('the cause')"


async def test_what_a_method_does_not_declare_arrives_as_an_rpc_error(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    with pytest.raises(RpcError, match="which find does not declare") as caught:
        await directory.find(5)
    assert caught.value.name == "StorageError"


async def test_attributes_set_by_hand_and_defaults_of_the_class_arrive(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    with pytest.raises(StorageError, match="full") as caught:
        await directory.store(Profile(id=3, name="bob"))
    assert (caught.value.disk, caught.value.retried) == ("sda", False)
    with pytest.raises(PermissionError, match="not yours"):
        await directory.store(Profile(id=1, name="ada"))


async def test_a_property_raises_what_it_declares(served: Serve) -> None:
    with pytest.raises(NotFound, match="nobody's"):
        await served(Directory, api.DirectoryStub).owner


async def test_the_error_reaches_whatever_depends_on_the_call(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    nobody = directory.find(9)
    for depending in (nobody.name, directory.names(nobody), directory.store(nobody).find(1).name, directory.owner.id):
        with pytest.raises(NotFound):
            await depending
    with pytest.raises(StorageError):
        await directory.store(Profile(id=3, name="bob")).find(1)
    with pytest.raises(NotFound):
        await directory.ids().map(lambda user_id: directory.find(user_id).name)


async def test_the_error_leaves_every_map_that_depends_on_the_call(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    user = Profile(id=2, name="bob")

    def found(user_id: RpcPromise[int]) -> RpcPromise[str]:
        return directory.find(user_id).name

    maps: list[Any] = [
        directory.ids().map(lambda _: directory.ids().map(found)),
        directory.ids().map(lambda _: directory.ids().map(lambda _: directory.ids().map(found))),
        directory.ids().map(lambda _: directory.names(directory.ids().map(directory.find)[1])),
        directory.ids().map(lambda _: (directory.ids().map(found), 1)),
        directory.ids().map(lambda _: directory.store(user).owner),
        directory.ids().map(lambda _: {"owners": [directory.store(user).owner.name]}),
        directory.ids().map(found).map(lambda name: name),
    ]
    for mapped in maps:
        with pytest.raises(NotFound):
            await mapped


async def test_a_promise_takes_part_of_nothing_that_it_does_not_depend_on(served: Serve) -> None:
    directory = served(Directory, api.DirectoryStub)
    found = directory.store(Profile(id=2, name="bob"))
    with pytest.raises(QuotaExceeded):
        await found.find(2)
    assert await found.names(found.find(1)) == ["ada"]


async def test_a_stream_that_breaks_off_raises_what_its_method_declares(served: Serve) -> None:
    with pytest.raises(NotFound, match="the rest is gone"):
        _ = [chunk async for chunk in served(Directory, api.DirectoryStub).download(1)]


async def test_an_answer_is_no_failure_to_report(served: Serve, caplog: pytest.LogCaptureFixture) -> None:
    directory = served(Directory, api.DirectoryStub)
    with pytest.raises(NotFound):
        await directory.find(9)
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in directory.download(1)]
    assert caplog.records == []


async def test_an_attribute_that_has_no_wire_form_is_reported_and_missed(
    served: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RpcError, match="not even a number") as caught:
        await served(Directory, api.DirectoryStub).find(4)
    assert caught.value.name == "QuotaExceeded"
    assert "QuotaExceeded.limit: expected int, got nothing" in caught.value.__notes__[0]
    assert "QuotaExceeded.limit" in caplog.text


def rejecting(name: str, **props: Any) -> type[api.DirectoryTarget]:
    """What a peer in any language may answer: an error of a name, with properties that nobody has checked."""

    class Rejecting(Directory):
        def find(self, user_id: int) -> Profile:
            raise RpcError("no", name, **props)

    return Rejecting


@pytest.mark.parametrize(
    ("props", "reason"),
    [
        ({}, "QuotaExceeded.limit: expected int, got nothing"),
        ({"limit": "3"}, "QuotaExceeded.limit: expected int, got str '3'"),
        ({"limit": 3, "until": 5}, "QuotaExceeded.until: expected"),
        ({"limit": 3, "spent_on": [{"id": 1}]}, "QuotaExceeded.spent_on[0].name: expected"),
        ({"limit": Directory()}, "This is no QuotaExceeded"),
    ],
)
async def test_an_error_whose_attributes_do_not_fit_stays_plain_and_says_why(
    served: Serve, props: dict[str, Any], reason: str
) -> None:
    directory = served(rejecting("QuotaExceeded", **props), api.DirectoryStub)
    with pytest.raises(RpcError, match="no") as caught:
        await directory.find(1)
    assert type(caught.value) is RpcError
    assert caught.value.name == "QuotaExceeded"
    assert reason in caught.value.__notes__[0]
    assert await directory.ids() == [1, 9]


async def test_a_peer_of_any_language_may_raise_it(served: Serve) -> None:
    directory = served(rejecting("QuotaExceeded", limit=3, code="E1"), api.DirectoryStub)
    with pytest.raises(QuotaExceeded) as caught:
        await directory.find(1)
    assert caught.value == QuotaExceeded("no", 3)
    assert vars(caught.value)["props"] == {"code": "E1"}


async def test_what_is_declared_elsewhere_is_not_made(served: Serve) -> None:
    directory = served(rejecting("StorageFailure", disk="sda"), api.DirectoryStub)
    with pytest.raises(RpcError) as caught:
        await directory.find(1)
    assert type(caught.value) is RpcError


async def test_each_who_waits_gets_an_instance_of_its_own(served: Serve) -> None:
    nobody = served(Directory, api.DirectoryStub).find(9)
    errors: list[NotFound] = []
    for _ in range(2):
        for promise in (nobody, nobody.name):
            with pytest.raises(NotFound) as caught:
                await promise
            errors.append(caught.value)
    assert errors[0] is errors[2]
    assert errors[0] is not errors[1]
