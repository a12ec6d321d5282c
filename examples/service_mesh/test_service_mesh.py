"""The mesh does what its README claims."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from capnweb_runtime import ConnectionRefused, connect, serve
from capnweb_runtime.testing import PairFixture, Record
from examples.form.testing import as_documented
from examples.service_mesh import services
from examples.service_mesh.breaker import Breaker
from examples.service_mesh.client import buy
from examples.service_mesh.gateway import Shop
from examples.service_mesh.generated.gateway import ShopStub
from examples.service_mesh.generated.orders import OrderBookStub, OrdersStub
from examples.service_mesh.generated.users import UsersStub
from examples.service_mesh.orders import Orders, created
from examples.service_mesh.schemas.users import WrongToken
from examples.service_mesh.traces import Span, tree
from examples.service_mesh.users import Users, Wallet


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("service_mesh")
    assert ran.number("round trips of the client") == 1
    assert ran.number("spans in that trace, each below the one that caused it") == 9
    assert ran.number("processes that recorded them") == 4
    assert ran.number("orders sent meanwhile") >= 20
    assert "each of them was answered, and none failed" in ran.claims
    assert "each of them was kept, once" in ran.claims


@pytest.mark.capnweb(no_leaks=True)
async def test_an_order_goes_through_all_services_and_leaves_nothing(
    capnweb_pair: PairFixture, capnweb_calls: Record, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        users = await stack.enter_async_context(capnweb_pair(Users(), UsersStub))
        orders = await stack.enter_async_context(capnweb_pair(Orders(created(tmp_path / "data")), OrdersStub))
        shop = await stack.enter_async_context(capnweb_pair(Shop(users, orders, Breaker()), ShopStub))
        async with await shop.sign_in("token-of-ada") as account:
            assert (await buy(account, "1", "tea")).receipt == "Ada paid 350 for 1"
            assert [order.key for order in (await account.overview()).orders] == ["1"]
        with pytest.raises(WrongToken):
            await shop.sign_in("guessed")
    assert {call.method for call in capnweb_calls.calls} >= {"sign_in", "place", "pay"}


async def test_an_order_that_is_repeated_is_placed_once(capnweb_pair: PairFixture, tmp_path: Path) -> None:
    async with capnweb_pair(Orders(created(tmp_path / "data")), OrdersStub) as orders:
        book: OrderBookStub = await orders.book("Ada")
        first = await book.place("1", "tea", Wallet("Ada"))
        assert await book.place("1", "cake", Wallet("Ada")) == first
        assert await book.orders() == [first]
        book.dispose()


async def test_a_service_serves_whoever_has_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(services.KEY, "right")
    async with serve(services.for_services(Users), "127.0.0.1", 0) as server:
        async with connect(server.url, UsersStub, headers=services.credentials()) as users:
            assert await users.wallet("token-of-ada").owner() == "Ada"
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            with pytest.raises(ConnectionRefused, match="401"):
                await connect(server.url, UsersStub, headers=headers)


def test_a_trace_with_a_gap_is_no_tree() -> None:
    root = Span("t", "1", None, "client", "INTERNAL x", "1", "")
    below = Span("t", "2", "1", "gateway", "SERVER y", "2", "ValueError")
    assert tree([below, root]) == ["client: INTERNAL x", "  gateway: SERVER y (ValueError)"]
    with pytest.raises(AssertionError, match="parent"):
        tree([root, Span("t", "3", "9", "orders", "SERVER z", "3", "")])
