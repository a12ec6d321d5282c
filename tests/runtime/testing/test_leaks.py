"""What is held when nothing should be: who holds it, what it is, and the line that made it."""

from __future__ import annotations

import asyncio
import inspect
import re

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.objects.stub import DROPPED
from capnweb_runtime.testing import Faults, assert_no_leaks, pair, serve_local
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from schemas.accounts import Profile
from tests.runtime.transports.example_api import Example, ExampleStub, Gates


def line() -> str:
    """Where it is called, as messages write places."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"{__file__}:{frame.f_back.f_lineno}"


def front() -> Front:
    return Front(Accounts())


async def test_a_session_in_which_everything_was_given_back_passes() -> None:
    async with pair(front(), PublicApiStub, no_leaks=True) as api:
        async with await api.authenticate("secret") as authed:
            assert await authed.me() == 1
            profiles: list[Profile] = []
            subscription = await authed.watch(profiles.append)
            subscription.dispose()
            assert b"id,name\n" in [piece async for piece in authed.download("profiles.csv")]
        assert await api.authenticate("secret").friends().map(lambda friend: friend) == [2, 3]


async def test_a_stub_that_is_held_fails_with_the_line_that_made_it() -> None:
    joined = pair(front(), PublicApiStub, no_leaks=True)
    api = await joined.__aenter__()
    authed, made = await api.authenticate("secret"), line()
    with pytest.raises(AssertionError) as caught:
        await joined.__aexit__(None, None, None)
    assert str(caught.value).splitlines() == [
        "1 reference was not given back:",
        f"  the client holds an object AuthedApi of PublicApi.authenticate (import -1 of the client), made at {made}",
        "dispose each stub, or use it with `async with`; await each call, or dispose its promise",
    ]
    authed.dispose()


async def test_a_promise_that_is_held_fails_with_the_line_that_made_it() -> None:
    joined = pair(front(), PublicApiStub, no_leaks=True)
    api = await joined.__aenter__()
    promise, made = api.authenticate("secret"), line()
    with pytest.raises(AssertionError) as caught:
        await joined.__aexit__(None, None, None)
    assert "the client holds a promise AuthedApi of PublicApi.authenticate" in str(caught.value)
    assert f"made at {made}" in str(caught.value)
    promise.dispose()


async def test_a_callback_that_the_server_keeps_fails_with_the_line_that_passed_it() -> None:
    class Keeping(Example):
        kept: object = None

        async def apply(self, function, value):  # type: ignore[no-untyped-def]  # as in Example
            self.kept = function.dup()
            return await function(value)

    target = Keeping()
    joined = pair(target, ExampleStub, no_leaks=True)
    api = await joined.__aenter__()
    made = line().rpartition(":")
    assert await api.apply(lambda n: n + 1, 1) == 2
    with pytest.raises(AssertionError) as caught:
        await joined.__aexit__(None, None, None)
    assert re.search(r"the server holds a function \S*<lambda>", str(caught.value))
    assert f"made at {made[0]}:{int(made[2]) + 1}" in str(caught.value)


async def test_what_came_of_a_map_has_a_line_too() -> None:
    joined = pair(front(), PublicApiStub, no_leaks=True)
    api = await joined.__aenter__()
    tokens, made = api.authenticate("secret").friends().map(lambda friend: api.authenticate("secret")), line()
    held = await tokens
    with pytest.raises(AssertionError) as caught:
        await joined.__aexit__(None, None, None)
    assert str(caught.value).startswith("2 references were not given back:")
    assert str(caught.value).count(f"made at {made}") == 2
    for stub in held:
        stub.dispose()


async def test_a_promise_that_nobody_has_any_more_counts_as_given_back() -> None:
    async with pair(front(), PublicApiStub, no_leaks=True) as api:
        dropped = api.authenticate("secret")
        assert await dropped.me() == 1
        del dropped


@pytest.mark.filterwarnings("ignore:AuthedApiStub was dropped:ResourceWarning")
async def test_a_stub_that_was_dropped_is_told_with_the_line_that_made_it() -> None:
    other = pair(front(), PublicApiStub)  # whose stubs are no concern of the first
    joined = pair(front(), PublicApiStub, no_leaks=True)
    async with other as others:
        api = await joined.__aenter__()
        authed, made = await api.authenticate("secret"), line()
        another = await others.authenticate("secret")
        del authed, another
        with pytest.raises(AssertionError) as caught:
            await joined.__aexit__(None, None, None)
    assert str(caught.value).splitlines()[:2] == [
        "1 reference was not given back:",
        f"  the client has dropped an object AuthedApi of PublicApi.authenticate without dispose(), made at {made}",
    ]
    assert not DROPPED


async def test_what_is_on_its_way_is_waited_for() -> None:
    faults = Faults()
    async with pair(front(), PublicApiStub, faults=faults, no_leaks=True) as api:
        authed = await api.authenticate("secret")
        faults.to_server.hold()
        authed.dispose()


async def test_a_call_that_is_not_answered_is_held() -> None:
    gates = Gates()
    joined = pair(Example(gates=gates), ExampleStub)
    async with joined as api:
        waiting = asyncio.ensure_future(api.wait("a"))
        await gates.come("a").wait()
        with pytest.raises(AssertionError, match=r"the client holds a promise \w* ?of Example.wait|holds a promise"):
            await assert_no_leaks(joined)
        gates.open("a").set()
        assert await waiting == "a"
        await assert_no_leaks(joined)


async def test_a_block_that_fails_is_not_searched() -> None:
    joined = pair(front(), PublicApiStub, no_leaks=True)
    api = await joined.__aenter__()
    authed = await api.authenticate("secret")
    await joined.__aexit__(KeyError, None, None)
    authed.dispose()


async def test_a_session_that_was_cut_holds_nothing() -> None:
    faults = Faults()
    async with pair(front(), PublicApiStub, faults=faults, no_leaks=True) as api:
        authed = await api.authenticate("secret")
        faults.cut()
    authed.dispose()


async def test_over_a_socket_the_line_is_told_too() -> None:
    joined = serve_local(lambda peer: front(), PublicApiStub, no_leaks=True)
    api = await joined.__aenter__()
    authed, made = await api.authenticate("secret"), line()
    with pytest.raises(AssertionError) as caught:
        await joined.__aexit__(None, None, None)
    assert "the client holds an object AuthedApi" in str(caught.value)
    assert f"made at {made}" in str(caught.value)
    authed.dispose()


async def test_a_client_of_a_server_elsewhere_is_searched_on_its_side() -> None:
    async with serve(lambda peer: front(), "127.0.0.1", 0) as server:
        connecting = connect(server.url, PublicApiStub)
        async with connecting as api:
            authed = await api.authenticate("secret")
            with pytest.raises(AssertionError, match="this side holds an object"):
                await assert_no_leaks(connecting)
            authed.dispose()
            await assert_no_leaks(connecting)


async def test_before_it_is_entered_there_is_nothing_to_search() -> None:
    with pytest.raises(RuntimeError, match="first"):
        await assert_no_leaks(pair(front(), PublicApiStub))
    with pytest.raises(RuntimeError, match="first"):
        await assert_no_leaks(serve_local(lambda peer: front(), PublicApiStub))
