"""Our generated client of schemas/accounts.py against a server written with the npm package."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from capnweb_runtime import DisposedError, RpcError, connect
from generated.accounts import PublicApiStub
from schemas.accounts import Profile
from tests.interop.node import PATIENCE, Program, accounts_server
from tests.needs import needs_node

pytestmark = needs_node

ADA = Profile(id=1, name="Ada", tags=["analyst", "poet"])
GRACE = Profile(id=2, name="Grace", tags=["compilers"])
BARBARA = Profile(id=3, name="Barbara", tags=[])


class Reference(NamedTuple):
    """A running server of the npm package."""

    program: Program
    ws: str
    http: str


@pytest.fixture
async def reference() -> AsyncIterator[Reference]:
    async with accounts_server() as (server, port):
        yield Reference(server, f"ws://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/")


@pytest.fixture(params=["ws", "http"])
def url(request: pytest.FixtureRequest, reference: Reference) -> str:
    return reference.ws if request.param == "ws" else reference.http


async def test_property_of_a_promised_capability(url: str) -> None:
    async with connect(url, PublicApiStub) as api:
        assert await api.authenticate("secret").user_name == "Ada"


async def test_promise_as_an_argument(url: str) -> None:
    async with connect(url, PublicApiStub) as api:
        authed = api.authenticate("secret")
        assert await authed.get_profile(authed.me()) == ADA


async def test_attributes_of_a_promised_model(url: str) -> None:
    async with connect(url, PublicApiStub) as api:
        profile = api.authenticate("secret").get_profile(1)
        name, tags, whole = await asyncio.gather(profile.name, profile.tags, profile)
        assert (name, tags, whole) == ("Ada", ["analyst", "poet"], ADA)


async def test_map_to_models_and_to_attributes(url: str) -> None:
    async with connect(url, PublicApiStub) as api:
        authed = api.authenticate("secret")
        profiles = authed.friends().map(lambda friend: authed.get_profile(friend))
        names = authed.friends().map(lambda friend: authed.get_profile(friend).name)
        got = await asyncio.gather(profiles, names)
        assert tuple(got) == ([GRACE, BARBARA], ["Grace", "Barbara"])


async def test_wrong_token_fails_what_was_pipelined_on_it(url: str) -> None:
    async with connect(url, PublicApiStub) as api:
        with pytest.raises(RpcError, match=r"^invalid token\nraised by the peer"):
            await api.authenticate("guess").get_profile(1).name


async def test_an_error_of_one_call_leaves_the_others_alone(url: str) -> None:
    async with connect(url, PublicApiStub) as api:
        authed = api.authenticate("secret")
        failed, me = await asyncio.gather(authed.get_profile(99), authed.me(), return_exceptions=True)
        assert isinstance(failed, ValueError)  # a RangeError there
        assert str(failed) == "no user 99"
        assert me == 1


async def test_held_capability_is_called_and_then_disposed(reference: Reference) -> None:
    async with connect(reference.ws, PublicApiStub) as api:
        authed = await api.authenticate("secret")
        assert await authed.me() == 1
        assert await authed.friends() == [2, 3]
        authed.dispose()
        with pytest.raises(DisposedError):
            await authed.me()
        assert await api.authenticate("secret").me() == 1


async def test_many_calls_in_flight_get_their_own_answers(reference: Reference) -> None:
    async with connect(reference.ws, PublicApiStub) as api, await api.authenticate("secret") as authed:
        ids = [i % 3 + 1 for i in range(200)]
        profiles = await asyncio.gather(*(authed.get_profile(i) for i in ids))
        assert [profile.id for profile in profiles] == ids


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_server_calls_back_until_the_subscription_is_cancelled(reference: Reference, kind: str) -> None:
    changes: asyncio.Queue[Profile] = asyncio.Queue()
    on_change = changes.put_nowait if kind == "def" else changes.put
    async with connect(reference.ws, PublicApiStub) as api:
        subscription = await api.authenticate("secret").watch(on_change)
        await reference.program.tell("rename 2 Amazing Grace")
        async with asyncio.timeout(PATIENCE):
            assert await changes.get() == GRACE.model_copy(update={"name": "Amazing Grace"})
        await reference.program.expect("renamed")
        await subscription.cancel()
        await reference.program.expect("cancelled")
        await reference.program.tell("rename 3 Barbara L")
        await reference.program.expect("renamed")
        assert changes.empty()


async def test_error_of_a_callback_arrives_at_the_server(reference: Reference) -> None:
    def refuse(profile: Profile) -> None:
        raise TypeError(f"no more of {profile.name}")

    async with connect(reference.ws, PublicApiStub) as api:
        subscription = await api.authenticate("secret").watch(refuse)
        await reference.program.tell("rename 2 Amazing Grace")
        await reference.program.expect("watcher failed: TypeError: no more of Amazing Grace", "renamed")
        subscription.dispose()
        await reference.program.expect("disposed")


async def test_disposing_a_capability_disposes_of_it_at_the_server(reference: Reference) -> None:
    async with connect(reference.ws, PublicApiStub) as api:
        subscription = await api.authenticate("secret").watch(lambda profile: None)
        subscription.dispose()
        await reference.program.expect("disposed")


async def test_leaving_the_session_disposes_of_what_it_held(reference: Reference) -> None:
    async with connect(reference.ws, PublicApiStub) as api:
        subscription = await api.authenticate("secret").watch(lambda profile: None)
    await reference.program.expect("disposed")
    with pytest.raises(ConnectionError):
        await subscription.cancel()
