"""docs/connections.md: clients connect where it says. Its program is run by tests/gen/test_docs.py."""

from __future__ import annotations

import ast
import asyncio
import re
import socket
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import connect, serve
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "connections.md").read_text("utf-8")
SECTION = TEXT.partition("\n## Where to\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


class PrinterSpec(rpc.Interface):
    print = rpc.method("print", rpc.INT, rpc.param("text", rpc.STR))


class PrinterStub(rpc.RpcStub, rpc.Calls):
    def print(self, text: str) -> rpc.RpcPromise[int]:
        return self._call(PrinterSpec.print, text)


class Printer(rpc.RpcTarget, spec=PrinterSpec):
    def print(self, text: str) -> int:
        return 1


@pytest.mark.parametrize("example", EXAMPLES)
async def test_each_example_prints_what_its_comment_says(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with serve(lambda peer: Printer(), "127.0.0.1", 0, path="/printer") as server:
            namespace: dict[str, Any] = {
                "connect": connect,
                "PrinterStub": PrinterStub,
                "socket": socket,
                "url": server.url,
                "port": server.port,
                "gone": f"ws://127.0.0.1:{nobody.getsockname()[1]}/printer",
            }
            running = eval(compile(example, "docs/connections.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
            assert asyncio.iscoroutine(running)
            await running
    assert capsys.readouterr().out.splitlines() == re.findall(r"print\(.*\)  # (.*)", example)


def test_there_is_one_for_addresses_and_one_for_sockets() -> None:
    assert [("[gone, url]" in example, "sock=sock" in example) for example in EXAMPLES] == [
        (True, False),
        (False, True),
    ]
