"""Sessions that know who made what they hold, and those that know it of some."""

from __future__ import annotations

import asyncio
import sys
import warnings

import pytest

from capnweb_runtime import CallInfo, Capability, Observer, Proceed, Sampling
from capnweb_runtime.debugging.settings import Debug
from capnweb_runtime.driving.attending import Terms
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports import memory
from examples.demo.server import Accounts, Authed, Front
from generated.accounts import PublicApiStub
from schemas.accounts import Profile
from tests.runtime.transports.example_api import Example, ExampleStub, Gates

HERE = __file__


def line() -> int:
    return sys._getframe(1).f_lineno


async def settled() -> None:
    """What has been written has arrived: each way takes a turn of the loop, and so does what comes of it."""
    for _ in range(8):
        await asyncio.sleep(0)


def held(connection: Connection, direction: str) -> dict[int, Capability]:
    return {one.id: one for one in connection.capabilities() if one.direction == direction}


async def test_calls_and_what_came_of_them_have_the_line_that_made_them() -> None:
    client, server = memory.pair(None, Front(Accounts()), debug=True)
    begun = asyncio.get_running_loop().time()
    api = client.main(PublicApiStub)
    authed = await api.authenticate("secret")
    asked = line() - 1
    profiles: list[Profile] = []
    subscription = await authed.watch(profiles.append)
    watched = line() - 1
    imports, exports = held(client, "import"), held(client, "export")
    assert str(imports[-1]) == (
        f"import -1: object AuthedApi of PublicApi.authenticate, 1 held by this side, made at {HERE}:{asked}"
    )
    assert imports[-2].place == exports[-1].place == f"{HERE}:{watched}"
    assert (imports[-2].name, imports[-2].member) == ("Subscription", "AuthedApi.watch")
    assert (exports[-1].kind, exports[-1].member) == ("function", "AuthedApi.watch")
    since = imports[-1].since
    assert since is not None
    assert begun <= since <= asyncio.get_running_loop().time()
    handed_out = held(server, "export")
    assert handed_out[-1].member == "PublicApi.authenticate"
    where = Front.authenticate.__code__
    assert handed_out[-1].place == f"{where.co_filename}:{where.co_firstlineno}"
    subscription.dispose()
    authed.dispose()
    api.dispose()


async def test_a_call_in_progress_has_a_place_at_both_ends() -> None:
    gates = Gates()
    client, server = memory.pair(None, Example(gates=gates), debug=True)
    api = client.main(ExampleStub)
    calling = asyncio.ensure_future(api.wait("a"))
    asked = line() - 1
    await gates.come("a").wait()
    (call,) = [one for one in client.capabilities() if one.id]
    assert str(call) == f"import 1: promise str of Example.wait, 1 held by this side, made at {HERE}:{asked}"
    run = held(server, "export")[1]
    assert run.member == "Example.wait"
    assert run.place is not None
    assert run.place.endswith(f"example_api.py:{Example.wait.__code__.co_firstlineno}")
    gates.open("a").set()
    assert await calling == "a"
    api.dispose()


async def test_main_objects_have_the_line_that_opened_the_session() -> None:
    client, server = memory.pair(None, Front(Accounts()), debug=True)
    opened = f"{HERE}:{line() - 1}"
    assert [one.place for one in (*client.capabilities(), *server.capabilities())] == [opened] * 3
    client.main(PublicApiStub).dispose()


async def test_pipelined_and_mapped_calls_have_the_line_that_made_them() -> None:
    client, _ = memory.pair(None, Front(Accounts()), debug=True)
    api = client.main(PublicApiStub)
    authed = api.authenticate("secret")
    me = authed.me()
    friends = authed.friends()
    asked = line() - 1
    names = friends.map(lambda number: authed.get_profile(number).name)
    mapped = line() - 1
    imports = held(client, "import")
    assert [(one.member, one.place) for one in imports.values()][2:] == [
        ("AuthedApi.me", f"{HERE}:{asked - 1}"),
        ("AuthedApi.friends", f"{HERE}:{asked}"),
        ("AuthedApi.friends.map", f"{HERE}:{mapped}"),
    ]
    assert (await me, await names) == (1, ["Grace", "Barbara"])
    api.dispose()


async def test_calls_that_pass_interceptors_have_the_line_that_made_them() -> None:
    async def pass_on(call: CallInfo, proceed: Proceed) -> object:
        await asyncio.sleep(0)
        return await proceed(call)

    for debug in (True, Sampling(every=1)):
        client = Connection(terms=Terms(interceptors=(pass_on,)), debug=debug)
        server = Connection(Front(Accounts()))
        memory.join(client, server)
        api = client.main(PublicApiStub)
        authed = api.authenticate("secret")
        asked = line() - 1
        stub = await authed
        assert held(client, "import")[-1].place == f"{HERE}:{asked}"
        stub.dispose()
        api.dispose()
        await client.wait_closed()


async def test_a_stub_that_is_dropped_tells_where_it_came_from() -> None:
    client, _ = memory.pair(None, Front(Accounts()), debug=True)
    api = client.main(PublicApiStub)
    authed = await api.authenticate("secret")
    asked = line() - 1
    await settled()  # or this very turn of the loop holds the stub as well
    with pytest.warns(ResourceWarning) as caught:
        del authed
    assert str(caught[0].message) == (
        "AuthedApiStub was dropped without dispose(); it has been released now. It came of PublicApi.authenticate, "
        f"called at {HERE}:{asked}"
    )
    api.dispose()


async def test_without_debug_mode_it_tells_how_to_know() -> None:
    client, _ = memory.pair(None, Front(Accounts()), debug=False)
    api = client.main(PublicApiStub)
    authed = await api.authenticate("secret")
    await settled()
    with pytest.warns(ResourceWarning, match="released now; CAPNWEB_DEBUG=1 tells which call it came of"):
        del authed
    api.dispose()


async def test_what_is_noted_goes_with_what_it_is_of() -> None:
    client, server = memory.pair(None, Front(Accounts()), debug=True)
    api = client.main(PublicApiStub)
    for _ in range(3):
        authed = await api.authenticate("secret")
        assert await authed.me() == 1
        authed.dispose()
    await settled()
    assert [*held(client, "import")] == [0]
    assert [*held(server, "export")] == [0]
    for end in (client, server):
        reader = end.session.reader  # type: ignore[attr-defined]  # of watched sessions
        assert not reader.asked
        assert not reader.exports._known
        assert not reader.imports._known
    api.dispose()


async def test_stubs_that_others_hand_on_are_noted_where_they_arrive() -> None:
    class Giving(Front):
        def authenticate(self, token: str) -> Authed:
            return Authed(Accounts(), 2)

    client, server = memory.pair(None, Giving(Accounts()), debug=True)
    api = client.main(PublicApiStub)
    both = await asyncio.gather(api.authenticate("a"), api.authenticate("b"))
    asked = line() - 1
    assert {one.place for one in client.capabilities() if one.id} == {f"{HERE}:{asked}"}
    for stub in both:
        stub.dispose()
    api.dispose()
    await server.wait_closed()


class TestSampling:
    async def test_one_in_so_many_calls_is_noted_with_what_came_of_it(self) -> None:
        client, server = memory.pair(None, Front(Accounts()), debug=Sampling(every=3))
        api = client.main(PublicApiStub)
        stubs = [await api.authenticate("secret") for _ in range(7)]
        asked = line() - 1
        places = [one.place for one in client.capabilities() if one.id]
        noted = f"{HERE}:{asked}"
        assert places == [noted, None, None, noted, None, None, noted]
        (first, *_) = [one for one in client.capabilities() if one.id == -1]
        assert (first.name, first.member, first.kind) == ("AuthedApi", "PublicApi.authenticate", "object")
        assert first.since is not None
        handed_out = [one.since is not None for one in server.capabilities() if one.id < 0]
        assert handed_out == [True, False, False, True, False, False, True]
        for stub in stubs:
            stub.dispose()
        api.dispose()

    async def test_nothing_is_shown(self, caplog: pytest.LogCaptureFixture) -> None:
        client, _ = memory.pair(None, Example(), debug=Sampling(every=1))
        api = client.main(ExampleStub)
        assert await api.add(1, 2) == 3
        api.dispose()
        assert not caplog.records

    async def test_calls_that_fail_and_that_are_given_up_are_well(self) -> None:
        failures: list[BaseException] = []

        class Noting(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                failures.append(error)

        client, _ = memory.pair(None, Example(), debug=Sampling(every=1), observer=Noting())
        api = client.main(ExampleStub)
        with pytest.raises(ValueError, match="no"):
            await api.fail("no")
        api.add(1, 2).dispose()
        assert await api.apply(lambda value: value + 1, 1) == 2
        await settled()
        assert [one.id for one in client.capabilities()] == [0]
        assert len(failures) == 1
        api.dispose()


@pytest.mark.parametrize("debug", [True, Sampling(every=1), False])
async def test_what_is_called_is_the_same_however_much_is_watched(debug: Debug) -> None:
    client, server = memory.pair(None, Front(Accounts()), debug=debug)
    api = client.main(PublicApiStub)
    authed = api.authenticate("secret")
    names = await authed.friends().map(lambda number: authed.get_profile(number).name)
    assert names == ["Grace", "Barbara"]
    assert await authed.user_name == "Ada"
    assert len([chunk async for chunk in authed.download("profiles.csv")]) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        authed.dispose()
        api.dispose()
        await client.wait_closed()
        await server.wait_closed()
    assert client.capabilities() == server.capabilities() == ()
