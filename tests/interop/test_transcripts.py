"""Message for message, our typed client says what the npm package's client says for the same script.

Each script stands twice: below, and under the same name in accounts_script.mjs. Both run against the same server
through a proxy that records. One difference is wanted: the npm package keeps a promise that nobody waits for until
someone disposes of it; ours is released as soon as Python lets it go. Those releases are left out of the comparison,
and a test of their own looks at them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from capnweb_runtime import RpcError, connect
from generated.accounts import PublicApiStub
from tests.interop.node import PATIENCE, accounts_server, program
from tests.interop.recorder import Recorder, recording
from tests.needs import needs_node

pytestmark = needs_node

Script = Callable[[PublicApiStub], Awaitable[object]]


async def one_call(api: PublicApiStub) -> None:
    authed = await api.authenticate("secret")
    authed.dispose()


async def property_of_a_promise(api: PublicApiStub) -> None:
    authed = api.authenticate("secret")
    await authed.user_name


async def pipelined_profile(api: PublicApiStub) -> None:
    authed = api.authenticate("secret")
    await authed.get_profile(authed.me())


async def attribute_of_a_promised_model(api: PublicApiStub) -> None:
    authed = api.authenticate("secret")
    await authed.get_profile(2).name


async def map_to_models(api: PublicApiStub) -> None:
    authed = api.authenticate("secret")
    await authed.friends().map(lambda friend: authed.get_profile(friend))


async def map_to_attributes(api: PublicApiStub) -> None:
    authed = api.authenticate("secret")
    await authed.friends().map(lambda friend: authed.get_profile(friend).name)


async def held_stub_is_called_then_disposed(api: PublicApiStub) -> None:
    authed = await api.authenticate("secret")
    await authed.me()
    await authed.friends()
    authed.dispose()
    await api.authenticate("secret").me()


async def rejected_call(api: PublicApiStub) -> None:
    with contextlib.suppress(RpcError):
        await api.authenticate("guess")


async def callback_is_handed_over(api: PublicApiStub) -> None:
    authed = await api.authenticate("secret")
    subscription = await authed.watch(lambda profile: None)
    await subscription.cancel()
    subscription.dispose()
    authed.dispose()


SCRIPTS: list[Script] = [
    one_call,
    property_of_a_promise,
    pipelined_profile,
    attribute_of_a_promised_model,
    map_to_models,
    map_to_attributes,
    held_stub_is_called_then_disposed,
    rejected_call,
    callback_is_handed_over,
]


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    async with accounts_server() as (_, port):
        yield f"ws://127.0.0.1:{port}/"


async def what_theirs_says(upstream: str, script: str) -> Recorder:
    async with recording(upstream) as recorder:
        async with program("accounts_script.mjs", recorder.url, script) as client:
            await client.rest()
            assert client.process.returncode == 0
        await asyncio.wait_for(recorder.ended.wait(), PATIENCE)
    return recorder


async def what_ours_says(upstream: str, script: Script) -> Recorder:
    async with recording(upstream) as recorder:
        async with connect(recorder.url, PublicApiStub) as api:
            await script(api)
        await asyncio.wait_for(recorder.ended.wait(), PATIENCE)
    return recorder


def releases(messages: list[str]) -> set[str]:
    return {message for message in messages if message.startswith('["release"')}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
async def test_messages_are_the_reference_client_s(upstream: str, script: Script) -> None:
    theirs = await what_theirs_says(upstream, script.__name__)
    ours = await what_ours_says(upstream, script)
    early = releases(ours.sent) - releases(theirs.sent)
    assert [message for message in ours.sent if message not in early] == theirs.sent
    assert ours.received == theirs.received


async def test_promises_that_nobody_waits_for_are_released_once(upstream: str) -> None:
    async def script(api: PublicApiStub) -> None:
        await pipelined_profile(api)
        await api.authenticate("secret").me()  # a round trip, by the end of which the promises above have been released

    ours = [json.loads(message) for message in (await what_ours_says(upstream, script)).sent]
    assert [message[1] for message in ours if message[0] == "pull"] == [3, 5]
    released = sorted(message[1:] for message in ours if message[0] == "release")
    assert released[:3] == [[1, 1], [2, 1], [3, 1]]
    assert len({number for number, _ in released}) == len(released)
