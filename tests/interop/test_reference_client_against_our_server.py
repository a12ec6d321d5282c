"""The npm package as the client of our server: schemas/accounts.py as examples/demo serves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime import CallbackStub, serve
from capnweb_runtime.serving.server import Server
from examples.demo.server import Accounts, Front
from schemas.accounts import Profile
from tests.interop.node import PATIENCE, program
from tests.needs import needs_node

pytestmark = needs_node


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
async def server(accounts: Accounts) -> AsyncIterator[Server]:
    async with serve(lambda peer: Front(accounts), "127.0.0.1", 0, path="/rpc") as server:
        yield server


async def failures_of_the_client(url: str, accounts: Accounts) -> list[str]:
    """Run the client to its end, renaming user 2 whenever it watches; return the lines that say what failed."""
    failed = []
    async with program("accounts_client.mjs", url, "--validating") as client:
        while line := await client.line():
            if line == "watching":
                await accounts.rename(2, "Amazing Grace")
            elif line.startswith("not ok"):
                failed.append(line)
            elif line.startswith("{"):
                assert json.loads(line)["passed"] > 0
                return failed
    raise AssertionError("the client ended without a summary; what it said on stderr is shown above")


async def test_over_websocket(server: Server, accounts: Accounts) -> None:
    assert await failures_of_the_client(server.url, accounts) == []


async def test_over_http_batch(server: Server, accounts: Accounts) -> None:
    assert await failures_of_the_client(server.http_url, accounts) == []


class Watchers(set[CallbackStub[[Profile], None]]):
    """Watchers that tell when one has been removed."""

    def __init__(self) -> None:
        self.one_has_gone = asyncio.Event()

    def remove(self, watcher: CallbackStub[[Profile], None]) -> None:
        super().remove(watcher)
        self.one_has_gone.set()


async def test_a_client_that_goes_away_leaves_no_watcher_behind(server: Server, accounts: Accounts) -> None:
    accounts.watchers = watchers = Watchers()
    async with program("accounts_script.mjs", server.url, "watch_and_leave") as client:
        assert await client.line() == "watching"
        await client.rest()
    async with asyncio.timeout(PATIENCE):
        await watchers.one_has_gone.wait()
    assert not watchers
