"""The log lines that docs/server.md shows are what its server logs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.project.sources import ROOT

TEXT = (ROOT / "docs/server.md").read_text(encoding="utf-8")
FILES = re.compile(r"```python\n# (\S+)\n(.*?)```", re.DOTALL)
LOG = re.compile(r"```log\n(.*?)```", re.DOTALL)
VISITORS = """
import asyncio, contextlib, logging
from capnweb_runtime import SessionClosed, connect, serve
from generated.books import BooksStub
from server import books_for

async def main():
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("capnweb_runtime.wire").setLevel(logging.DEBUG)
    async with serve(books_for, "127.0.0.1", 0, path="/rpc") as server:
        async with connect(server.url, BooksStub, headers={"Authorization": "Bearer 71a8"}) as books:
            await books.title(1)
        with contextlib.suppress(SessionClosed):
            async with connect(server.http_url, BooksStub) as books:
                await books.title(1)
        with contextlib.suppress(SessionClosed):
            await connect(server.url, BooksStub, headers={"Origin": "https://evil.example"})

asyncio.run(main())
"""


def without_what_differs(line: str) -> str:
    return re.sub(r"\d+\.\d{3} s", "TIME", re.sub(r"(127\.0\.0\.1):\d+", r"\1:PORT", line))


def test_the_log_that_is_shown_is_what_is_logged(tmp_path: Path) -> None:
    for file, content in (*FILES.findall(TEXT), ("schemas/__init__.py", ""), ("visitors.py", VISITORS)):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    logged = ""
    for command in (["-m", "capnweb_gen.cli", "schemas", "--out", "generated"], ["visitors.py"]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        logged = done.stderr
    seen = [without_what_differs(line) for line in logged.splitlines()]
    for block in LOG.findall(TEXT):
        shown = [without_what_differs(line) for line in block.splitlines()]
        assert [line for line in seen if line in shown] == shown
    info = [line for line in seen if line.startswith("INFO")]
    assert info == [without_what_differs(line) for line in LOG.findall(TEXT)[0].splitlines()]
