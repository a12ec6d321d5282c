"""What calls carry, with the npm package at the other end: its disposals cancel, and it is sent nothing new to it."""

from __future__ import annotations

import json

from capnweb_runtime import connect, deadline, serve
from generated.accounts import PublicApiStub
from tests.interop.node import accounts_server, program
from tests.interop.recorder import recording
from tests.needs import needs_node
from tests.runtime.test_cancellation import PATIENCE, Search

pytestmark = needs_node


async def test_disposing_a_promise_cancels_the_call() -> None:
    target = Search()
    async with (
        serve(lambda peer: target, "127.0.0.1", 0) as server,
        program("calls.mjs", server.url) as client,
    ):
        await client.expect("asked")
        await target.begun.wait()
        await client.tell("dispose")
        assert await target.outcome() == "cancelled"
        assert "disposed" in await client.line()


async def test_a_deadline_is_kept_without_a_word_to_the_server() -> None:
    async with accounts_server() as (_, port), recording(f"ws://127.0.0.1:{port}/") as recorder:
        async with connect(recorder.url, PublicApiStub) as api:
            with deadline(PATIENCE):
                assert await api.authenticate("secret").user_name == "Ada"
        await recorder.ended.wait()
    pushes = [message for text in recorder.sent if (message := json.loads(text))[0] == "push"]
    assert len(pushes) == 2
    assert {len(message) for message in pushes} == {2}
