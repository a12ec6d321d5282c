"""The examples of docs/reconnect.md do what they say."""

from __future__ import annotations

import ast
import asyncio
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from capnweb_runtime import (
    CallInfo,
    Connected,
    Peer,
    Pool,
    Proceed,
    Reconnect,
    StaleCapability,
    connect,
    deadline,
    serve,
)
from capnweb_runtime.sturdy import SturdyRef
from tests.chaos.proxy import Proxy
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "reconnect.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(SCHEMA,) = [block for block in BLOCKS if block.startswith("# schemas/")]
EXAMPLES = [block for block in BLOCKS if block is not SCHEMA]
PRINTS = re.compile(r"(?:print\(.*\)|as api:)  # (.*)")


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """What is generated from the schema that is shown."""
    folder: Path = tmp_path_factory.mktemp("reconnect")
    (folder / "noted").mkdir()
    (folder / "noted" / "notes.py").write_text(SCHEMA)
    command = [sys.executable, "-m", "capnweb_gen.cli", "noted", "--out", "made"]
    subprocess.run(command, cwd=folder, check=True, env={"PYTHONPATH": str(ROOT)})
    sys.path.insert(0, str(folder))
    yield importlib.import_module("made.notes")
    sys.path.remove(str(folder))


def implemented(notes: Any) -> Any:
    """The class of the server's main object."""

    class Notebook(notes.NotebookTarget):  # type: ignore[misc]
        def titles(self) -> list[str]:
            return ["Ideas"]

        def add(self, title: str) -> int:
            return 2

        def save(self) -> SturdyRef[Any]:
            return SturdyRef("ideas")

    class NotesApi(notes.NotesApiTarget):  # type: ignore[misc]
        def __init__(self, peer: Peer) -> None: ...

        def open(self, token: str) -> Notebook:
            return Notebook()

        share = open

        def restore(self, ref: SturdyRef[Any]) -> Notebook:
            assert ref == SturdyRef("ideas")
            return Notebook()

        async def watch(self, on_change: Any) -> None:
            await on_change("watched")

        def ping(self) -> str:
            return "pong"

    return NotesApi


@pytest.mark.parametrize("example", EXAMPLES)
async def test_each_example_prints_what_its_comments_say(
    example: str, notes: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        serve(implemented(notes), "127.0.0.1", 0, path="/") as server,
        Proxy(int(server.url.split(":")[2].split("/")[0])) as proxy,
        asyncio.timeout(30),
    ):

        async def lose_connection() -> None:
            proxy.cut()
            for _ in range(20):
                await asyncio.sleep(0)

        shown = {"connect": connect, "Connected": Connected, "Pool": Pool, "StaleCapability": StaleCapability}
        namespace: dict[str, Any] = {**vars(notes), **shown, "url": proxy.url, "lose_connection": lose_connection}
        namespace |= {
            "Reconnect": Reconnect,
            "CallInfo": CallInfo,
            "Proceed": Proceed,
            "deadline": deadline,
            "Any": Any,
        }
        code = compile(example, "docs/reconnect.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, namespace)
        await running if asyncio.iscoroutine(running) else None
        for name in ("opened", "shared", "notebook", "restored"):
            if name in namespace:
                namespace[name].dispose()
    expected = [line for lines in PRINTS.findall(example) for line in _lines(lines)]
    assert capsys.readouterr().out.splitlines() == expected


def _lines(comment: str) -> list[str]:
    """What a comment says is printed: two lines, where a call waits for something that prints as well."""
    return comment.split(", ") if comment.startswith("session") else [comment]


def test_the_settings_that_are_shown_are_complete() -> None:
    (shown,) = [block for block in EXAMPLES if block.startswith("policy")]
    for name in Reconnect.__dataclass_fields__.keys() - {"clock", "sleep", "random"}:
        assert f"    {name}=" in shown
