"""The examples of docs/promises.md do what they say."""

from __future__ import annotations

import ast
import asyncio
import re
import tomllib
from typing import Any

import pytest

from capnweb_runtime import connect, serve
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PRINTS = re.compile(r"print\(.*\)  # (.*)")


@pytest.mark.parametrize("example", EXAMPLES)
async def test_each_example_prints_what_its_comments_say(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with (
        serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, path="/rpc") as server,
        connect(server.url, PublicApiStub) as api,
    ):
        namespace: dict[str, Any] = {"api": api}
        code = compile(example, "docs/promises.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, namespace)
        async with asyncio.timeout(10):
            await running if asyncio.iscoroutine(running) else None
        if hasattr(namespace.get("authed"), "dispose"):
            namespace["authed"].dispose()
    assert capsys.readouterr().out.splitlines() == PRINTS.findall(example)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5
    assert all(PRINTS.search(example) for example in EXAMPLES)


def test_the_setting_that_is_shown_is_this_projects_own() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]["enable_error_code"]
    assert set(tomllib.loads(shown)["tool"]["mypy"]["enable_error_code"]) <= set(ours)
