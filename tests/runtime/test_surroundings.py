"""What is around the opening of a connection or a server: it bounds that, and not what the session does later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime import (
    CallInfo,
    Connected,
    DeadlineExceeded,
    Pool,
    Proceed,
    Reconnect,
    connect,
    connect_blocking,
    deadline,
    serve,
    time_left,
)
from capnweb_runtime.transports.memory import pair
from tests.chaos.generated.bank import BankBlockingStub, BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Bank, State

PATIENCE = 60.0
AT_ONCE = Reconnect(sleep=lambda seconds: asyncio.sleep(0))


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/")[0])


class Timed(Bank):
    """Tells what time it has left."""

    def __init__(self) -> None:
        super().__init__(State())
        self.left: list[float | None] = []

    def named(self, name: str) -> str:
        self.left.append(time_left())
        return name


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """One that accepts and says nothing. Gives its address."""
    over = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        over.set()
        server.close()


class TestWhatASessionDoesLater:
    async def test_callbacks_of_a_client_have_no_deadline(self) -> None:
        left: list[float | None] = []
        async with serve(lambda peer: Bank(State()), "127.0.0.1", 0) as server:
            with deadline(PATIENCE):
                api = await connect(server.url, BankStub)
            async with api, await api.told(lambda number: left.append(time_left())):
                assert left == [None]

    async def test_calls_of_a_server_have_none(self) -> None:
        bank = Timed()
        serving = serve(lambda peer: bank, "127.0.0.1", 0)
        with deadline(PATIENCE):
            server = await serving.__aenter__()
        async with connect(server.url, BankStub) as api:
            await api.named("x")
        await serving.__aexit__(None, None, None)
        assert bank.left == [None]

    async def test_nor_have_those_of_sessions_in_one_process(self) -> None:
        bank = Timed()
        with deadline(PATIENCE):
            client, _ = pair(None, bank)
        await client.main(BankStub).named("x")
        assert bank.left == [None]

    async def test_sessions_that_take_its_place_have_none(self) -> None:
        left: list[float | None] = []

        def look(api: BankStub, info: Connected) -> None:
            left.append(time_left())

        policy = Reconnect(sleep=AT_ONCE.sleep, on_connect=look)
        async with (
            serve(lambda peer: Bank(State()), "127.0.0.1", 0) as server,
            Proxy(port_of(server.url)) as proxy,
        ):
            with deadline(PATIENCE):
                api = await connect(proxy.url, BankStub, reconnect=policy)
            proxy.cut()
            async with api:
                assert await api.get("x") == 1
        assert left == [None, None]

    async def test_sessions_of_a_pool_that_a_call_has_opened_have_none(self) -> None:
        left: list[float | None] = []

        def look(api: BankStub, info: Connected) -> None:
            left.append(time_left())

        policy = Reconnect(sleep=AT_ONCE.sleep, on_connect=look)
        async with (
            serve(lambda peer: Bank(State()), "127.0.0.1", 0) as server,
            Pool(server.url, BankStub, reconnect=policy, check_every=PATIENCE) as pool,
        ):
            with deadline(PATIENCE):
                await pool.stub.get("x")
        assert left == [None]

    async def test_what_one_caller_says_is_not_said_of_calls_of_another_session(self) -> None:
        seen: list[tuple[str, dict[str, str]]] = []
        opened: list[BankStub] = []

        async def look(call: CallInfo, proceed: Proceed) -> Any:
            if call.served:
                seen.append((call.method, dict(call.metadata)))
            return await proceed(call)

        async def sign(call: CallInfo, proceed: Proceed) -> Any:
            call.metadata["user"] = "ann"
            return await proceed(call)

        class Near(Bank):
            async def wait(self, gate: str) -> str:
                opened.append(await connect(far.url, BankStub, interceptors=[look]))
                return gate

        async with serve(lambda peer: Bank(State()), "127.0.0.1", 0) as far:
            async with (
                serve(lambda peer: Near(State()), "127.0.0.1", 0, interceptors=[look]) as near,
                connect(near.url, BankStub, interceptors=[sign]) as api,
            ):
                await api.wait("x")
            assert seen == [("wait", {"user": "ann"})]
            async with opened[0], await opened[0].told(lambda number: None):
                pass
        assert [metadata for _, metadata in seen[1:]] == [{}]


class TestOpening:
    @pytest.mark.parametrize("reconnect", [None, AT_ONCE])
    async def test_a_connection_has_to_be_open_in_time(self, reconnect: Any) -> None:
        async with silent_server() as address:
            with deadline(0.05), pytest.raises(DeadlineExceeded, match="before there was a session"):
                await connect(f"ws://{address}", BankStub, reconnect=reconnect)

    async def test_so_has_one_of_a_blocking_client(self) -> None:
        def opening(url: str) -> None:
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                connect_blocking(url, BankBlockingStub)

        async with silent_server() as address:
            await asyncio.to_thread(opening, f"ws://{address}")

    async def test_so_has_one_that_is_leased(self) -> None:
        async with silent_server() as address, Pool(f"ws://{address}", BankStub, check_every=PATIENCE) as pool:
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                async with pool.session():
                    pass
            assert pool.stats().leased == 0

    async def test_a_wait_for_another_session_ends_in_time(self) -> None:
        async with serve(lambda peer: Bank(State()), "127.0.0.1", 0) as server, Proxy(port_of(server.url)) as proxy:
            gone = asyncio.Event()
            never = asyncio.Event()

            async def sleep(seconds: float) -> None:
                gone.set()
                await never.wait()

            client = connect(proxy.url, BankStub, reconnect=Reconnect(sleep=sleep))
            async with client:
                proxy.cut()
                await gone.wait()
                with deadline(0.01), pytest.raises(DeadlineExceeded):
                    await client.wait_ready()

    async def test_what_fails_in_time_fails_with_its_own_error(self) -> None:
        with deadline(PATIENCE), pytest.raises(ConnectionError):
            await connect("ws://127.0.0.1:1/", BankStub)
