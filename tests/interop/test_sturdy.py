"""Sturdy references with the npm package at the other end: for it they are strings."""

from __future__ import annotations

import json
import re

import pytest

from capnweb_runtime import RpcError, SturdyRef, connect, serve
from capnweb_runtime.sturdy.refs import REFUSED
from tests.gen.golden.sturdy_refs.expected import UserApiStub
from tests.gen.golden.sturdy_refs.schema import RoomApi
from tests.gen.test_sturdy_refs import Chat, User
from tests.interop.node import FOLDER, program
from tests.needs import needs_node
from tests.project.sources import ROOT


@needs_node
async def test_a_client_there_saves_connects_again_and_restores() -> None:
    chat = Chat()
    async with (
        serve(lambda peer: User(chat, peer.query), "127.0.0.1", 0, path="/rpc") as server,
        program("sturdy.mjs", server.url, "ada", "bob") as reference,
    ):
        seen = [json.loads(line) for line in await reference.rest()]
    refused = f"Error: {REFUSED}"
    tokens = "a SturdyRef, a string of 1 to 4096 characters"
    assert seen == [
        "string",
        1,
        2,
        refused,
        f"TypeError: argument 'ref': expected {tokens}, got one of 5000",
        True,
        refused,
        refused,
    ]
    assert chat.said["lobby"] == ["ada: I am back", "ada: all in one"]


@needs_node
async def test_a_server_there_gives_and_takes_references_of_its_own() -> None:
    async with program("sturdy.mjs", "serve") as reference:
        port = (await reference.line()).removeprefix("listening ")
        async with connect(f"ws://127.0.0.1:{port}/", UserApiStub) as user:
            ref = await user.room("lobby").save()
        assert (type(ref), ref.token) == (SturdyRef, "room:lobby")
        async with connect(f"ws://127.0.0.1:{port}/", UserApiStub) as user:
            assert await user.restore(ref).say("back") == 4
            with pytest.raises(RpcError, match="no such room"):
                await user.restore(SturdyRef[RoomApi]("garage"))


def test_what_the_document_shows_of_such_a_client_is_what_it_does() -> None:
    shown = re.findall(r"```js\n(.*?)```", (ROOT / "docs/sturdy.md").read_text("utf-8"), re.DOTALL)
    done = (FOLDER / "sturdy.mjs").read_text("utf-8")
    lines = [line.partition("  //")[0].strip() for text in shown for line in text.splitlines()]
    assert len(lines) == 4
    for line in lines:
        assert line.removeprefix("await ").rstrip(";") in done
