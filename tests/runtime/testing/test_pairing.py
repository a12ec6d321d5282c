"""Two ends in one process: what is between them, what they hand over, and how they end."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import CallInfo, Limits, Observer, RpcError
from capnweb_runtime.driving.deadline import deadline, time_left
from capnweb_runtime.driving.interceptors import Proceed
from capnweb_runtime.errors import DisposedError
from capnweb_runtime.plans import plan
from capnweb_runtime.testing import UnexpectedCall, pair, record
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.gen.golden.fakes.expected.library import LibraryStub
from tests.gen.golden.fakes.expected.library_fakes import LibraryFake
from tests.runtime.transports.example_api import Example, ExampleStub


def front() -> Front:
    return Front(Accounts())


async def test_calls_travel_as_bytes_and_are_validated() -> None:
    async with pair(front(), PublicApiStub) as api:
        profile = await api.authenticate("secret").get_profile(1)
        assert profile == Accounts().profiles[1]
        assert profile is not Accounts().profiles[1]
        with pytest.raises(TypeError, match="user_id"):
            await api.authenticate("secret").get_profile("one")  # type: ignore[arg-type]  # that is tested


async def test_a_chain_of_calls_takes_one_round_trip() -> None:
    joined = pair(front(), PublicApiStub)
    async with joined as api:
        assert await api.authenticate("secret").friends() == [2, 3]
        assert joined.stats().round_trips == 1


async def test_leaving_ends_both_sessions_also_when_the_block_fails() -> None:
    joined = pair(front(), PublicApiStub)
    api = await joined.__aenter__()
    await joined.__aexit__(KeyError, KeyError("of the test"), None)
    assert joined.client.closed
    assert joined.server.closed
    with pytest.raises(DisposedError, match="after the stub had been disposed"):
        await api.authenticate("secret").me()


async def test_the_client_may_offer_a_main_object_to_the_server() -> None:
    joined = pair(front(), PublicApiStub, main=Example())
    async with joined:
        assert await joined.server.main(ExampleStub).add(1, 2) == 3


async def test_deadlines_travel_as_between_two_ends_of_this_implementation() -> None:
    class Timed(Example):
        def add(self, a: int, b: int) -> int:
            left = time_left()
            return -1 if left is None else round(left)

    async with pair(Timed(), ExampleStub) as api:
        assert await api.add(1, 2) == -1
        with deadline(1000):
            assert await api.add(1, 2) == 1000


async def test_what_serve_takes_is_taken() -> None:
    seen: list[str] = []

    async def noting(call: CallInfo, proceed: Proceed) -> object:
        seen.append(call.name)
        return await proceed(call)

    class Noting(Observer):
        def target_failed(self, where: str, error: BaseException) -> None:
            seen.append(str(error))

    class Failing(Example):
        def fail(self, message: str) -> None:
            raise RuntimeError(message)

    limits = Limits(message_size=10_000)
    joined = pair(Failing(), ExampleStub, limits=limits, interceptors=[noting], observer=Noting(), errors="all")
    async with joined as api:
        assert joined.client.limits is joined.server.limits is limits
        with pytest.raises(RuntimeError, match="as it is"):
            await api.fail("as it is")
    assert seen == ["Example.fail", "as it is"]
    async with pair(Failing(), ExampleStub) as api:
        with pytest.raises(RpcError, match="under reference"):
            await api.fail("not sent")


async def test_interceptors_of_the_client_see_what_it_calls_and_what_it_serves() -> None:
    seen: list[tuple[str, bool]] = []

    async def noting(call: CallInfo, proceed: Proceed) -> object:
        seen.append((call.name, call.served))
        return await proceed(call)

    async with pair(Example(), ExampleStub, client_interceptors=[noting]) as api:
        assert await api.add(1, 2) == 3
    assert seen == [("Example.add", False)]


async def test_a_fake_is_verified_on_leaving() -> None:
    fake = LibraryFake()
    fake.search.returns([1])
    with pytest.raises(AssertionError, match="LibraryFake was not asked for what is set, search: returns"):
        async with pair(fake, LibraryStub):
            pass
    unexpected = LibraryFake()
    joined = pair(unexpected, LibraryStub)
    library = await joined.__aenter__()
    with pytest.raises(RpcError, match="was not expected to be asked for book"):
        await library.book(7)
    with pytest.raises(AssertionError, match=r"was asked for book\(number=7\), which nothing is set for"):
        await joined.__aexit__(None, None, None)


async def test_a_fake_is_not_verified_when_the_block_fails() -> None:
    fake = LibraryFake()
    fake.search.returns([1])
    with pytest.raises(KeyError):
        async with pair(fake, LibraryStub):
            raise KeyError


async def test_who_calls_a_fake_gets_what_was_expected_as_text() -> None:
    joined = pair(LibraryFake(), LibraryStub)
    library = await joined.__aenter__()
    with pytest.raises(RpcError) as caught:
        await library.search("Sea")
    with pytest.raises(AssertionError):
        await joined.__aexit__(None, None, None)
    assert caught.value.name == UnexpectedCall.__name__
    assert "use search.returns(...), .raises(...) or .does(...)" in str(caught.value)


async def test_it_is_entered_once_and_says_so() -> None:
    joined = pair(front(), PublicApiStub)
    for asked in (lambda: joined.client, lambda: joined.server, joined.stats):
        with pytest.raises(RuntimeError, match=r"enter pair\(\.\.\.\) with `async with` first"):
            asked()
    async with joined:
        with pytest.raises(RuntimeError, match="gives one session; call it again for another"):
            await joined.__aenter__()


async def test_a_test_may_enter_and_leave_it_in_different_tasks() -> None:
    joined = pair(front(), PublicApiStub)
    api = await asyncio.create_task(joined.__aenter__())
    assert await api.authenticate("secret").me() == 1
    await asyncio.create_task(joined.__aexit__(None, None, None))
    assert joined.client.closed


@pytest.mark.parametrize("takes", [True, False])
async def test_the_server_takes_plans_if_it_is_told_to(*, takes: bool) -> None:
    calls = record()
    async with pair(front(), PublicApiStub, plans=takes, record=calls) as api:
        assert await plan(api, lambda p: p.authenticate("secret").me()) == 1
    assert calls.round_trips == (1 if takes else 2)  # the first of them to be refused
