"""What sessions tell of what they hold."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import astuple

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.debugging.capabilities import Capability
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.serving.peer import Peer, peer_of
from capnweb_runtime.transports import memory
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from schemas.accounts import Profile
from tests.runtime.transports.example_api import Example, ExampleStub, Gates


def told(connection: Connection) -> list[str]:
    return [str(capability) for capability in connection.capabilities()]


async def settled() -> None:
    """What has been written has arrived: each way takes a turn of the loop, and so does what comes of it."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_new_session_holds_the_main_objects() -> None:
    client, server = memory.pair(None, Front(Accounts()))
    assert told(client) == ["import 0: main, 1 held by this side"]
    api = client.main(PublicApiStub)
    assert told(client) == ["import 0: main PublicApi, 1 held by this side"]
    assert told(server) == [
        "import 0: main, 1 held by this side",
        "export 0: main PublicApi, 1 held by a session",
    ]
    api.dispose()
    await client.wait_closed()
    assert client.capabilities() == server.capabilities() == ()


async def test_objects_functions_and_results_are_told_apart_at_both_ends() -> None:
    client, server = memory.pair(None, Front(Accounts()))
    api = client.main(PublicApiStub)
    authed = await api.authenticate("secret")
    profiles: list[Profile] = []
    subscription = await authed.watch(profiles.append)
    await settled()
    assert told(client)[1:] == [
        "import -1: object, 1 held by this side",
        "import -2: object, 1 held by this side",
        "export -1: function list.append, 1 held by a session",
    ]
    assert told(server)[1:] == [
        "import -1: object, 1 held by this side",
        "export 0: main PublicApi, 1 held by a session",
        "export -1: object AuthedApi, 1 held by a session",
        "export -2: object Subscription, 1 held by a session",
    ]
    subscription.dispose()
    authed.dispose()
    await settled()
    assert [capability.id for capability in server.capabilities()] == [0, 0]
    api.dispose()


async def test_a_call_in_progress_is_a_promise_at_both_ends() -> None:
    gates = Gates()
    client, server = memory.pair(None, Example(gates=gates))
    api = client.main(ExampleStub)
    calling = asyncio.ensure_future(api.wait("a"))
    await gates.come("a").wait()
    assert told(client)[1:] == ["import 1: promise str, 1 held by this side"]
    assert told(server)[2:] == ["export 1: promise, 1 held by a session"]
    gates.open("a").set()
    assert await calling == "a"
    await settled()
    assert (len(client.capabilities()), len(server.capabilities())) == (1, 2)
    kept = api.add(1, 2)  # nobody asks for it, so that it is kept
    await settled()
    assert told(server)[2:] == ["export 2: promise of Example.add, 1 held by a session"]
    kept.dispose()
    api.dispose()


async def test_references_are_counted() -> None:
    client, _ = memory.pair(None, Front(Accounts()))
    api = client.main(PublicApiStub)
    authed = await api.authenticate("secret")
    again = authed.dup()
    (held,) = [one for one in client.capabilities() if one.id == -1]
    assert held == Capability("import", -1, "object", "", "", "this side", 2, None, None)
    assert astuple(held)[:2] == ("import", -1)
    again.dispose()
    authed.dispose()
    api.dispose()


async def test_no_more_are_looked_at_than_asked_for() -> None:
    client, server = memory.pair(None, Example())
    api = client.main(ExampleStub)
    kept = [api.add(number, 1) for number in range(10)]
    await settled()
    assert [(one.direction, one.id) for one in server.capabilities(3)] == [
        ("import", 0),
        *(("export", number) for number in range(3)),
    ]
    assert len(client.capabilities(0)) == 0
    assert len(client.capabilities()) == len(kept) + 1
    api.dispose()


async def test_whatever_users_hold_of_a_session_tells() -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Example:
        peers.append(peer)
        return Example(peer)

    async with serve(main, "127.0.0.1", 0) as server:
        connecting = connect(server.url, ExampleStub)
        with pytest.raises(RuntimeError, match="the session has not been opened"):
            connecting.capabilities()
        async with connecting as api:
            await api.add(1, 2)
            assert [one.name for one in connecting.capabilities()] == ["Example"]
            export, *_ = [one for one in peers[0].capabilities() if one.direction == "export"]
            assert export.holder == str(peers[0])
    with pytest.raises(RuntimeError, match="there is no session with this peer"):
        peer_of((), None, "/", "websocket").capabilities()


def test_nothing_is_imported_for_who_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "capnweb_runtime.debugging.capabilities")

    async def session() -> None:
        client, _ = memory.pair(None, Example())
        api = client.main(ExampleStub)
        assert await api.add(1, 2) == 3
        api.dispose()

    asyncio.run(session())
    assert "capnweb_runtime.debugging.capabilities" not in sys.modules
