"""What docs/plans.md says is so."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from typing import Any

import pytest

from capnweb_runtime import connect, plans, serve
from capnweb_runtime.core.plan_form import HEADER
from capnweb_runtime.core.plan_ops import OPERANDS
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "plans.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", TEXT, re.DOTALL)
PRINTS = re.compile(r"print\(.*\)  # (.*)")


@pytest.mark.parametrize(("example", "shown"), EXAMPLES)
async def test_each_example_prints_what_it_says(example: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with (
        serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, path="/rpc", plans=True) as server,
        connect(server.url, PublicApiStub) as api,
    ):
        namespace: dict[str, Any] = {"api": api}
        code = compile(example, "docs/plans.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, namespace)
        async with asyncio.timeout(10):
            await running if asyncio.iscoroutine(running) else None
        if hasattr(namespace.get("authed"), "dispose"):
            namespace["authed"].dispose()
    assert capsys.readouterr().out.splitlines() == [*PRINTS.findall(example), *shown.splitlines()]


def test_every_function_and_operation_is_described() -> None:
    assert all(re.search(rf"\b{name}\b", TEXT.partition("## Order")[0]) for name in plans.__all__)
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", TEXT, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"\w+", row)} == OPERANDS.keys()
    assert all(f"`{bound}`" in TEXT for bound in ("plan_calls", "plan_turns", "plan_depth", "map_steps"))


def test_the_header_is_the_one_described() -> None:
    assert f"header `{json.dumps(HEADER)}`" in TEXT
