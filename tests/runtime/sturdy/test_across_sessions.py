"""What was restored through a reference is restored through it again by a client that connects again."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import Reconnect, connect, serve
from capnweb_runtime.serving.serve import Serving
from capnweb_runtime.sturdy import SturdyRef
from tests.chaos.generated.bank import BankStub
from tests.chaos.server import Bank, State

AT_ONCE = Reconnect(sleep=lambda seconds: asyncio.sleep(0))


def serving(state: State, port: int = 0) -> Serving:
    return serve(lambda peer: Bank(state), "127.0.0.1", port, path="/")


async def test_after_a_restart_of_the_server_it_is_restored_with_the_same_reference() -> None:
    state = State()
    async with serving(state) as server:
        client = connect(server.url, BankStub, reconnect=AT_ONCE)
        api = await client
        ref = await api.keep("ann")
        account = await api.restore(ref)
        assert await account.deposit(5) == 5
    async with serving(state, server.port):
        assert await account.balance() == 5
        assert await account.owner == "ann"
    assert state.count("restore") == 2
    account.dispose()
    api.dispose()


async def test_what_was_revoked_meanwhile_is_what_its_calls_fail_with() -> None:
    state = State()
    async with serving(state) as server:
        api = await connect(server.url, BankStub, reconnect=AT_ONCE)
        ref = await api.keep("ann")
        account = await api.restore(ref)
    await state.refs.revoke(ref, principal="client")
    async with serving(state, server.port):
        for _ in range(2):
            with pytest.raises(PermissionError, match="this reference cannot be restored"):
                await account.balance()
        other = await api.restore(await api.keep("bob"))
        assert await other.owner == "bob"
        other.dispose()
    account.dispose()
    api.dispose()


async def test_one_that_the_client_has_stored_is_restored_by_a_client_that_has_never_seen_the_object() -> None:
    state = State()
    async with serving(state) as server:
        async with connect(server.url, BankStub) as api:
            stored = (await api.keep("ann")).token
        async with connect(server.url, BankStub, reconnect=AT_ONCE) as api:
            assert await api.restore(SturdyRef(stored)).owner == "ann"
