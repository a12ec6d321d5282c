"""The examples of docs/blocking.md, and of the README's section about it, print what their comments say."""

from __future__ import annotations

import asyncio
import importlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from capnweb_runtime import connect_blocking, serve
from examples.demo.server import Accounts, Front
from tests.project.sources import ROOT

README = (ROOT / "README.md").read_text("utf-8").partition("## Scripts and notebooks\n")[2].partition("\n## ")[0]
TEXTS = [README, (ROOT / "docs" / "blocking.md").read_text("utf-8")]
BLOCKS = [block for text in TEXTS for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The class PublicApiBlockingStub."""
    folder = tmp_path_factory.mktemp("blocking")
    command = [sys.executable, "-m", "capnweb_gen.cli", "schemas", "--out", str(folder / "waiting"), "--blocking"]
    subprocess.run(command, cwd=ROOT, check=True)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("waiting.accounts").PublicApiBlockingStub
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of the demo's server, which runs in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    accounts = serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, path="/rpc")
    running = asyncio.run_coroutine_threadsafe(accounts.__aenter__(), loop).result()
    yield running.url
    asyncio.run_coroutine_threadsafe(accounts.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("block", BLOCKS)
def test_each_example_prints_what_its_comments_say(
    block: str, stub: Any, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect_blocking(url, stub) as api:
        exec(block, {"connect_blocking": connect_blocking, "PublicApiBlockingStub": stub, "url": url, "api": api})
    expected = re.findall(r"print\(.*\)  # (.*)", block)
    assert capsys.readouterr().out.splitlines() == expected


def test_there_are_examples_in_both() -> None:
    assert [text.count("```python") for text in TEXTS] == [1, 4]
