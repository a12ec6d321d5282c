"""A server on a free port, and its client."""

from __future__ import annotations

import pytest

from capnweb_runtime import CallInfo, ConnectionRefused, Peer, Proceed, Refuse, connect
from capnweb_runtime.plans import plan
from capnweb_runtime.testing import serve_local
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.gen.golden.fakes.expected.library import LibraryStub
from tests.gen.golden.fakes.expected.library_fakes import LibraryFake
from tests.runtime.transports.example_api import Example, ExampleStub


def factory(peer: Peer) -> Front:
    return Front(Accounts())


@pytest.mark.parametrize("batch", [False, True])
async def test_a_client_is_connected_over_either_transport(batch: bool) -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Front:
        peers.append(peer)
        return factory(peer)

    local = serve_local(main, PublicApiStub, batch=batch, path="/api", headers={"X-User": "ada"})
    async with local as api:
        assert await api.authenticate("secret").me() == 1
        assert local.stats().round_trips == 1
    (peer,) = peers
    assert (peer.transport, peer.path, peer.headers["X-User"]) == ("http" if batch else "websocket", "/api", "ada")


async def test_further_clients_find_the_server() -> None:
    local = serve_local(factory, PublicApiStub)
    async with local as api, connect(local.server.url, PublicApiStub) as other:
        assert await api.authenticate("secret").me() == await other.authenticate("secret").me()


async def test_an_async_factory_and_a_main_object_of_the_client_are_taken() -> None:
    async def main(peer: Peer) -> Example:
        return Example(peer)

    target = Example()
    local = serve_local(main, ExampleStub, main=target, errors="all")
    async with local as api:
        assert await api.add(1, 2) == 3
        with pytest.raises(ValueError, match="as it is"):
            await api.fail("as it is")


async def test_interceptors_of_the_client_see_its_calls() -> None:
    seen: list[tuple[str, bool]] = []

    async def noting(call: CallInfo, proceed: Proceed) -> object:
        seen.append((call.name, call.served))
        return await proceed(call)

    async with serve_local(factory, PublicApiStub, client_interceptors=[noting]) as api:
        assert await api.authenticate("secret").me() == 1
    assert seen == [("PublicApi.authenticate", False), ("AuthedApi.me", False)]


async def test_a_client_that_is_refused_leaves_no_server() -> None:
    def refuse(peer: Peer) -> Front:
        raise Refuse(401, "who are you?")

    local = serve_local(refuse, PublicApiStub)
    with pytest.raises(ConnectionRefused, match="who are you"):
        await local.__aenter__()
    with pytest.raises(OSError, match="Connect call failed"):
        await connect(local.server.url, PublicApiStub)


async def test_what_needs_the_server_says_that_there_is_none() -> None:
    local = serve_local(factory, PublicApiStub)
    for asked in (lambda: local.server, local.stats):
        with pytest.raises(RuntimeError, match="has not been started: enter serve_local"):
            asked()


@pytest.mark.parametrize("late", [False, True])
async def test_a_fake_is_verified_on_leaving(late: bool) -> None:
    fake = LibraryFake()
    fake.search.returns([1])

    async def later(peer: Peer) -> LibraryFake:
        return fake

    local = serve_local(later if late else lambda peer: fake, LibraryStub)
    library = await local.__aenter__()
    assert await library.search("Sea") == [1]
    fake.opened.returns(True)
    with pytest.raises(AssertionError, match="LibraryFake was not asked for what is set, opened"):
        await local.__aexit__(None, None, None)


@pytest.mark.parametrize("takes", [True, False])
async def test_it_takes_plans_if_it_is_told_to(*, takes: bool) -> None:
    local = serve_local(factory, PublicApiStub, plans=takes)
    async with local as api:
        assert await plan(api, lambda p: p.authenticate("secret").me()) == 1
        assert local.stats().round_trips == (1 if takes else 2)  # the first of them to be refused
