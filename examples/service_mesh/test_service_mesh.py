"""The mesh does what its README claims."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from capnweb_runtime import ConnectionRefused, connect, serve
from capnweb_runtime.scale import Backplane, MemoryBackplane, open_backplane
from capnweb_runtime.testing import PairFixture, Record
from examples.form.testing import Ran, as_documented
from examples.service_mesh import services
from examples.service_mesh.breaker import Breaker
from examples.service_mesh.client import buy
from examples.service_mesh.gateway import Shop
from examples.service_mesh.generated.gateway import ShopStub
from examples.service_mesh.generated.orders import OrderBookStub, OrdersStub
from examples.service_mesh.generated.users import UsersStub
from examples.service_mesh.orders import Orders
from examples.service_mesh.schemas.users import WrongToken
from examples.service_mesh.traces import Span, tree
from examples.service_mesh.users import Users, Wallet
from tests.needs import needs_redis
from tests.runtime.scale.servers import RedisServer


def numbers(ran: Ran) -> None:
    assert ran.number("round trips of the client") == 1
    assert ran.number("spans in that trace, each below the one that caused it") == 9
    assert ran.number("services that recorded them, with the client") == 4
    assert ran.number("orders sent meanwhile") >= 40
    assert "each of them was answered, and none failed" in ran.claims
    assert "each of them was kept, once" in ran.claims


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    numbers(as_documented("service_mesh"))


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The URL of a Redis of this file's own."""
    server = RedisServer()
    yield server.url
    server.close()


@needs_redis
def test_with_redis_the_services_are_processes_and_print_the_same(redis: str) -> None:
    numbers(as_documented("service_mesh", "--backplane", redis))


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
async def backplane(request: pytest.FixtureRequest) -> AsyncIterator[Backplane]:
    url: str = request.getfixturevalue("redis") if request.param == "redis" else "memory:"
    async with open_backplane(url, name=f"test-{secrets.token_hex(4)}") as backplane:
        yield backplane


@pytest.mark.capnweb(no_leaks=True)
async def test_an_order_goes_through_all_services_and_leaves_nothing(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with AsyncExitStack() as stack:
        users = await stack.enter_async_context(capnweb_pair(Users(), UsersStub))
        orders = await stack.enter_async_context(capnweb_pair(Orders(MemoryBackplane()), OrdersStub))
        shop = await stack.enter_async_context(capnweb_pair(Shop(users, orders, Breaker()), ShopStub))
        async with await shop.sign_in("token-of-ada") as account:
            assert (await buy(account, "1", "tea")).receipt == "Ada paid 350 for 1"
            assert [order.key for order in (await account.overview()).orders] == ["1"]
        with pytest.raises(WrongToken):
            await shop.sign_in("guessed")
    assert {call.method for call in capnweb_calls.calls} >= {"sign_in", "place", "pay"}


async def test_an_order_that_is_repeated_is_placed_once(capnweb_pair: PairFixture, backplane: Backplane) -> None:
    async with capnweb_pair(Orders(backplane), OrdersStub) as orders:
        book: OrderBookStub = await orders.book("Ada")
        first = await book.place("1", "tea", Wallet("Ada"))
        assert await book.place("1", "cake", Wallet("Ada")) == first
        assert await book.orders() == [first]
        book.dispose()


async def test_instances_that_place_orders_at_the_same_time_keep_all_of_them_once(
    capnweb_pair: PairFixture, backplane: Backplane
) -> None:
    keys = [str(number) for number in range(10)]
    async with (
        asyncio.timeout(60),
        capnweb_pair(Orders(backplane), OrdersStub) as here,
        capnweb_pair(Orders(backplane), OrdersStub) as there,
    ):
        async with await here.book("Ada") as one, await there.book("Ada") as other:
            placed = await asyncio.gather(
                *(
                    book.place(key, item, Wallet("Ada"))
                    for key in keys
                    for book, item in ((one, "tea"), (other, "cake"))
                )
            )
            kept = await one.orders()
        assert sorted(order.key for order in kept) == keys
        assert all(order in kept for order in placed)


async def test_a_service_serves_whoever_has_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(services.KEY, "right")
    async with serve(services.for_services(Users), "127.0.0.1", 0) as server:
        async with connect(server.url, UsersStub, headers=services.credentials()) as users:
            assert await users.wallet("token-of-ada").owner() == "Ada"
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            with pytest.raises(ConnectionRefused, match="401"):
                await connect(server.url, UsersStub, headers=headers)


def span(own: str, parent: str | None, service: str, title: str, error: str = "") -> Span:
    return Span(trace="t", own=own, parent=parent, service=service, title=title, began=int(own), error=error)


def test_a_trace_with_a_gap_is_no_tree() -> None:
    root = span("1", None, "client", "INTERNAL x")
    below = span("2", "1", "gateway", "SERVER y", "ValueError")
    assert tree([below, root]) == ["client: INTERNAL x", "  gateway: SERVER y (ValueError)"]
    with pytest.raises(AssertionError, match="parent"):
        tree([root, span("3", "9", "orders", "SERVER z")])
