"""Exceptions that an interface declares, raised and caught by the npm package at the other end."""

from __future__ import annotations

import json

import pytest

from capnweb_runtime import RpcError, connect, serve
from tests.gen.golden.raises.expected import DirectoryStub
from tests.gen.golden.raises.schema import NotFound, QuotaExceeded
from tests.gen.test_raises import Directory
from tests.interop.node import program
from tests.needs import needs_node

pytestmark = needs_node


async def test_an_error_of_that_name_is_caught_as_the_class() -> None:
    async with program("errors.mjs", "serve") as reference:
        port = (await reference.line()).removeprefix("listening ")
        async with connect(f"ws://127.0.0.1:{port}/", DirectoryStub) as directory:
            with pytest.raises(NotFound, match=r"^no such user\nraised by the peer"):
                await directory.find(9).name
            with pytest.raises(QuotaExceeded) as caught:
                await directory.find(2)
            assert caught.value == QuotaExceeded("too many", 3)
            with pytest.raises(NotFound, match="nobody's"):
                await directory.owner
            with pytest.raises(RpcError) as refused:
                await directory.find(4)
            assert refused.value.name == "QuotaExceeded"


async def test_a_client_sees_the_message_and_the_attributes() -> None:
    """Of names it keeps, as of 0.12, only those that JavaScript has: others go over the wire, and are dropped there. The
    property of the same text stays.
    """
    async with (
        serve(lambda peer: Directory(), "127.0.0.1", 0, path="/rpc") as server,
        program("errors.mjs", "call", server.url) as reference,
    ):
        *caught, refused = [json.loads(line) for line in await reference.rest()]
    assert [error["message"] for error in caught] == ["no such user", "too many", "nobody's", "no such user"]
    assert {error["name"] for error in caught} == {"Error"}
    assert [error["errorName"] for error in caught] == ["NotFound", "QuotaExceeded", "NotFound", "NotFound"]
    assert (caught[1]["limit"], caught[1]["spent_on"]) == (3, [{"id": 1, "name": "ada"}])
    assert refused == {
        "name": "TypeError",
        "message": "argument 'user_id': expected int, got str 'nine'",
        "path": ["user_id"],
        "expected": "int",
        "actual": "str 'nine'",
    }
