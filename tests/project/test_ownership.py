"""The examples of docs/ownership.md do what they say."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Awaitable
from typing import Any

import pytest

from capnweb_runtime import CallbackStub, ReadableStream, connect, serve
from examples.demo.server import Accounts, Front
from generated.accounts import AuthedApiTarget, PublicApiStub, SubscriptionTarget
from schemas.accounts import Profile
from tests.project.sources import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "ownership.md").read_text(encoding="utf-8"), re.DOTALL)
CALLS = [block for block in BLOCKS if "await" in block]
DEFINITIONS = [block for block in BLOCKS if "await" not in block]


@pytest.mark.parametrize("block", CALLS)
async def test_each_call_prints_what_its_comment_says(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {}
    exec(f"async def example(api):\n{textwrap.indent(block, '    ')}", namespace)
    async with (
        serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, path="/rpc") as server,
        connect(server.url, PublicApiStub) as api,
    ):
        await namespace["example"](api)
    assert capsys.readouterr().out.splitlines() == re.findall(r"#\s(.*)", block)


@pytest.mark.parametrize("block", DEFINITIONS)
def test_each_definition_can_be_made(block: str) -> None:
    names = {
        "AuthedApiTarget": AuthedApiTarget,
        "Awaitable": Awaitable,
        "CallbackStub": CallbackStub,
        "Profile": Profile,
        "ReadableStream": ReadableStream,
        "SubscriptionTarget": SubscriptionTarget,
    }
    exec(block, dict(names))


def test_there_are_examples() -> None:
    assert (len(CALLS), len(DEFINITIONS)) == (3, 2)
