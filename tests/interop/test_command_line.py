"""The command line client asks a server of the npm package."""

from __future__ import annotations

import pytest

from tests.gen.cli.test_call import SCHEMA, run
from tests.interop.node import accounts_server
from tests.needs import needs_node

pytestmark = needs_node


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_it_asks_the_reference(scheme: str) -> None:
    async with accounts_server() as (_, port):
        url = f"{scheme}://127.0.0.1:{port}/"
        text = "authenticate(token='secret').get_profile(authenticate('secret').friends()[0]).name"
        result = await run("call", url, text, "--schema", SCHEMA)
        assert (result.exit_code, result.stdout, result.stderr) == (0, '"Grace"\n', "")
        result = await run("call", url, "authenticate('wrong')", "--schema", SCHEMA)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "Error: invalid token\n    raised by the peer, in answer to authenticate\n"
        result = await run("call", url, "authenticate('secret').user_name", "--untyped")
        assert (result.exit_code, result.stdout) == (0, '"Ada"\n')
        result = await run("ir", url)
        assert (result.exit_code, result.stdout) == (1, "")


async def test_it_says_that_the_reference_does_not_describe_itself() -> None:
    async with accounts_server() as (_, port):
        result = await run("repl", f"ws://127.0.0.1:{port}/", given="me = authenticate('secret')\nme.friends()\n")
        assert (result.exit_code, result.stdout) == (0, "[\n  2,\n  3\n]\n")
        assert "the server does not say what it serves" in result.stderr
