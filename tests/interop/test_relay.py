"""A relay of ours between two peers that do not know of it: the conformance programs through it, and what is left in it
afterwards.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from capnweb_runtime.core.held import EXPORT
from tests.interop.node import Program, program
from tests.interop.relay import Relay, relaying
from tests.interop.test_conformance_programs import (
    NODE_CLIENT,
    NODE_SERVER,
    OUR_CLIENT,
    OUR_SERVER,
    PATIENCE,
    checked,
    serving,
)
from tests.needs import needs_node

COMBINATIONS = [
    pytest.param(NODE_CLIENT, NODE_SERVER, 1, 200, id="the reference's client and server", marks=needs_node),
    pytest.param(NODE_CLIENT, OUR_SERVER, 1, 200, id="the reference's client, our server", marks=needs_node),
    pytest.param(OUR_CLIENT, NODE_SERVER, 1, 300, id="our client, the reference's server", marks=needs_node),
    pytest.param(OUR_CLIENT, OUR_SERVER, 1, 300, id="our client, our server"),
    pytest.param(NODE_CLIENT, NODE_SERVER, 3, 200, id="three relays one behind the other", marks=needs_node),
]


async def relays(stack: AsyncExitStack, port: int, hops: int) -> list[Relay]:
    """Starts relays, each in front of the one before; the last one is for the client."""
    made: list[Relay] = []
    for _ in range(hops):
        made.append(await stack.enter_async_context(relaying(port)))
        port = made[-1].port
    return made


@pytest.mark.parametrize(("client", "server", "hops", "at_least"), COMBINATIONS)
async def test_every_check_passes_through_relays(
    client: list[str], server: list[str], hops: int, at_least: int
) -> None:
    async with serving(server) as (_, port), AsyncExitStack() as stack:
        made = await relays(stack, port, hops)
        code, lines = await checked(client, made[-1].port)
        assert [line for line in lines[:-1] if not line.startswith("ok ")] == []
        passed, _, failed, _ = lines[-1].split()
        assert (failed, code) == ("0", 0)
        assert int(passed) == len(lines) - 1 >= at_least
        assert [relay.seen.failures for relay in made] == [[]] * hops


async def names(client: Program, which: str) -> list[str]:
    """The names of the client's steps."""
    await client.tell(which)
    listed: list[str] = json.loads(await client.line())
    return listed


@needs_node
@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("server", [NODE_SERVER, OUR_SERVER], ids=["the reference's server", "our server"])
async def test_nothing_is_left_of_what_has_passed(server: list[str], hops: int) -> None:
    async with serving(server) as (_, port), AsyncExitStack() as stack:
        made = await relays(stack, port, hops)
        async with program("relay_client.mjs", f"ws://127.0.0.1:{made[-1].port}/") as client:
            assert await client.line() == "ready"
            steps = await names(client, "steps")
            if server is OUR_SERVER:
                steps += await names(client, "more")
            for step in steps:
                await client.tell(step)
                assert (step, await client.line()) == (step, "ok")
                for relay in made:
                    [passage] = relay.passages
                    try:
                        await asyncio.wait_for(passage.until_held([(1, 1, 0, EXPORT)] * 2), PATIENCE)
                    except TimeoutError:
                        raise AssertionError(f"{step}: {passage.held()} is left at the relay") from None
        for relay in made:  # the client has gone
            await asyncio.wait_for(relay.passages[0].back.wait_closed(), PATIENCE)
        assert [relay.seen.failures for relay in made] == [[]] * hops
