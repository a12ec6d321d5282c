"""A client that connects again, and servers of the npm package that take each other's place."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import Connected, Reconnect, StaleCapability, connect
from generated.accounts import PublicApiStub, SubscriptionStub
from tests.chaos.proxy import Proxy
from tests.interop.node import PATIENCE, accounts_server
from tests.needs import needs_node

pytestmark = needs_node


async def test_a_client_goes_on_with_the_next_server() -> None:
    renamed: asyncio.Queue[str] = asyncio.Queue()
    numbers: list[int] = []
    subscriptions: list[SubscriptionStub] = []

    async def subscribe(api: PublicApiStub, info: Connected) -> None:
        numbers.append(info.number)
        watching = api.authenticate("secret").watch(lambda profile: renamed.put_nowait(profile.name))
        subscriptions.append(await watching)

    lost = asyncio.Event()
    policy = Reconnect(
        sleep=lambda seconds: asyncio.sleep(0), on_connect=subscribe, on_disconnect=lambda error: lost.set()
    )
    async with Proxy(1) as proxy, asyncio.timeout(PATIENCE):
        async with accounts_server() as (_, port):
            proxy.target = port
            api = await connect(proxy.url, PublicApiStub, reconnect=policy)
            authed = await api.authenticate("secret")
            assert await authed.user_name == "Ada"
        async with accounts_server() as (server, port):
            proxy.target = port
            await lost.wait()
            assert await api.authenticate("secret").user_name == "Ada"
            assert numbers == [1, 2]
            await server.tell("rename 1 Augusta")
            assert await renamed.get() == "Augusta"
            with pytest.raises(StaleCapability):
                await authed.user_name
            for held in (*subscriptions, authed, api):
                held.dispose()
