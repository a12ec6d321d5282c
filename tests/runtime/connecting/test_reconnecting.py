"""connect(reconnect=...), over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from capnweb_runtime import Disconnected, Peer, Reconnect, Refuse, SessionClosed, connect, connect_blocking, serve
from tests.chaos.generated.bank import AccountStub, BankBlockingStub, BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Bank, State

AT_ONCE = Reconnect(sleep=lambda seconds: asyncio.sleep(0))


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/")[0])


def state_of(client: Any) -> str:
    """What a client is at, which checkers would think cannot change."""
    state: str = client.state
    return state


async def test_one_stub_goes_on_over_another_connection() -> None:
    state = State()
    async with (
        serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/") as server,
        Proxy(port_of(server.url)) as proxy,
    ):
        connecting = connect(proxy.url, BankStub, reconnect=AT_ONCE)
        assert state_of(connecting) == "connecting"
        with pytest.raises(RuntimeError, match="no session has been opened"):
            connecting.stats()
        with pytest.raises(RuntimeError, match="has not been started"):
            await connecting.wait_ready()
        async with connecting as api:
            account = await api.account("ann")
            assert connecting.stats().imports == 2
            proxy.cut()
            assert await account.owner == "ann"
            await connecting.wait_ready()
            assert proxy.connections == 2
            account.dispose()
            with pytest.raises(RuntimeError, match="call it again for another"):
                await connecting
        assert state_of(connecting) == "closed"


async def test_headers_are_asked_for_at_every_attempt() -> None:
    tokens: list[str | None] = []
    given = iter(["first", "second", "third"])

    async def headers() -> Mapping[str, str]:
        return {"Authorization": next(given)}

    def bank(peer: Peer) -> Bank:
        tokens.append(peer.headers.get("Authorization"))
        return Bank(State())

    async with serve(bank, "127.0.0.1", 0, path="/") as server, Proxy(port_of(server.url)) as proxy:
        api = await connect(proxy.url, BankStub, headers=headers, reconnect=AT_ONCE)
        for _ in range(2):
            assert await api.get("x") == 1
            proxy.cut()
        assert await api.get("x") == 1
        api.dispose()
    assert tokens == ["first", "second", "third"]


async def test_a_refusal_for_good_ends_it() -> None:
    refuse = False

    def bank(peer: Peer) -> Bank:
        if refuse:
            raise Refuse(401, "unknown user")
        return Bank(State())

    async with serve(bank, "127.0.0.1", 0, path="/") as server, Proxy(port_of(server.url)) as proxy:
        connecting = connect(proxy.url, BankStub, reconnect=AT_ONCE)
        async with connecting as api:
            refuse = True
            assert await api.get("x") == 1
            proxy.cut()
            with pytest.raises(SessionClosed) as caught:
                await api.get("x")
            assert caught.value.status == 401
            with pytest.raises(SessionClosed, match="401"):
                await connecting.wait_ready()
        with pytest.raises(SessionClosed, match="401"):
            await connect(proxy.url, BankStub, reconnect=AT_ONCE)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_what_speaks_something_else_ends_it(answer: bytes, scheme: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(SessionClosed, match="cannot connect"):
            await connect(url, BankStub, reconnect=AT_ONCE)


async def test_it_waits_for_a_server_that_is_not_there_yet() -> None:
    attempts = asyncio.Event()

    async def sleep(seconds: float) -> None:
        attempts.set()
        await asyncio.sleep(0)

    async with Proxy(1) as proxy:
        started = asyncio.ensure_future(_open(proxy.url, Reconnect(sleep=sleep)))
        await attempts.wait()
        async with serve(lambda peer: Bank(State()), "127.0.0.1", 0, path="/") as server:
            proxy.target = port_of(server.url)
            api = await started
            assert await api.get("x") == 1
            api.dispose()


async def _open(url: str, policy: Reconnect) -> BankStub:
    return await connect(url, BankStub, reconnect=policy)


async def test_giving_up_while_it_connects_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await connect("ws://127.0.0.1:1/", BankStub, reconnect=Reconnect())
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_our_main_object_is_disposed_at_the_end_and_not_between() -> None:
    disposed: list[bool] = []

    class Ours(Bank):
        def dispose(self) -> None:
            disposed.append(True)

    async with (
        serve(lambda peer: Bank(State()), "127.0.0.1", 0, path="/") as server,
        Proxy(port_of(server.url)) as proxy,
    ):
        async with connect(proxy.url, BankStub, main=Ours(State()), reconnect=AT_ONCE) as api:
            for _ in range(3):
                assert await api.get("x") == 1
                proxy.cut()
            assert await api.get("x") == 1
            assert disposed == []
        await asyncio.sleep(0)
        assert disposed == [True]


async def test_draining_waits_for_calls_of_whichever_session() -> None:
    state = State()
    over, lost = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        lost.set()
        await over.wait()

    async with (
        serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/") as server,
        Proxy(port_of(server.url)) as proxy,
    ):
        client = connect(proxy.url, BankStub, reconnect=Reconnect(sleep=sleep, wait_time=None))
        api = await client
        account = await api.account("ann")
        waits = asyncio.ensure_future(_value(api.wait("gate")))
        await state.at("gate").wait()
        proxy.cut()
        await lost.wait()
        added = asyncio.ensure_future(_value(api.add(1)))
        owner = asyncio.ensure_future(_value(account.owner))
        await asyncio.sleep(0)
        draining = asyncio.ensure_future(client.drain())
        await asyncio.sleep(0)
        with pytest.raises(SessionClosed, match="being drained"):
            await api.get("x")
        state.gate("gate").set()
        over.set()
        await draining
        assert [await waits, await added, await owner] == ["gate", 1, "ann"]
        assert state_of(client) == "closed"
        assert state.count("add") == 1


async def test_draining_waits_no_longer_than_it_is_told() -> None:
    never, lost = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        lost.set()
        await never.wait()

    async with (
        serve(lambda peer: Bank(State()), "127.0.0.1", 0, path="/") as server,
        Proxy(port_of(server.url)) as proxy,
    ):
        client = connect(proxy.url, BankStub, reconnect=Reconnect(sleep=sleep, wait_time=None))
        api = await client
        proxy.cut()
        await lost.wait()
        added = asyncio.ensure_future(_value(api.add(1)))
        await asyncio.sleep(0)
        await client.drain(0.01)
        with pytest.raises(Disconnected) as caught:
            await added
        assert not caught.value.sent


async def _value(promise: Any) -> Any:
    return await promise


def test_what_cannot_reconnect_is_refused() -> None:
    with pytest.raises(ValueError, match="no session to lose"):
        _ = connect("http://127.0.0.1/", BankStub, reconnect=Reconnect())
    with pytest.raises(ValueError, match="ws://"):
        _ = connect("ftp://127.0.0.1/", BankStub, reconnect=Reconnect())
    with pytest.raises(TypeError, match="headers= is a function"):
        connect("ws://127.0.0.1/", BankStub, headers=dict)  # type: ignore[call-overload]


class TestBlocking:
    async def test_blocking_stubs_go_on_as_well(self) -> None:
        state = State()
        async with (
            serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/") as server,
            Proxy(port_of(server.url)) as proxy,
        ):
            await asyncio.to_thread(self.use, proxy, asyncio.get_running_loop())

    def use(self, proxy: Proxy, loop: asyncio.AbstractEventLoop) -> None:
        def cut() -> None:
            asyncio.run_coroutine_threadsafe(_cut(proxy), loop).result(10)

        numbers: list[int] = []
        policy = Reconnect(
            sleep=lambda seconds: asyncio.sleep(0), on_connect=lambda api, info: numbers.append(info.number)
        )
        session = connect_blocking(proxy.url, BankBlockingStub, timeout=10, reconnect=policy)
        with session as api:
            restored: list[bool] = []
            api.on_restored(lambda: restored.append(True))
            account = api.account("ann")
            opened = api.open("bob")
            assert account.deposit(3) == 3
            cut()
            assert account.balance() == 3
            session.wait_ready(10)
            assert state_of(session) == "ready"
            assert restored == [True]
            assert numbers == [1, 2]
            with pytest.raises(Exception, match="lost with the session"):
                opened.balance()
        assert state_of(session) == "closed"
        with pytest.raises(Disconnected):
            account.balance()

    async def test_a_session_that_does_not_reconnect_is_ready(self) -> None:
        async with serve(lambda peer: Bank(State()), "127.0.0.1", 0, path="/") as server:

            def use() -> Any:
                session = connect_blocking(server.url, BankBlockingStub)
                with session:
                    session.wait_ready()
                    return session.state

            assert await asyncio.to_thread(use) == "ready"


async def _cut(proxy: Proxy) -> None:
    proxy.cut()


async def test_a_stub_is_of_the_class_that_was_asked_for() -> None:
    async with serve(lambda peer: Bank(State()), "127.0.0.1", 0, path="/") as server:
        api = await connect(server.url, BankStub, reconnect=AT_ONCE)
        assert type(api) is BankStub
        async with api, await api.account("ann") as account:
            assert type(account) is AccountStub
