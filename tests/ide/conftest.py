"""A user's project, and an editor on it: `Editor` shows a file with a cursor, and says what would be offered there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ide.lsp import LanguageServer, Message, Position

ROOT = Path(__file__).parents[2]
LANGSERVER = Path(__file__).parent / "node_modules/pyright/langserver.index.js"
CURSOR = "<cursor>"

SEARCH = '''
"""Looking things up."""

from typing import Literal, Protocol

from typing_extensions import deprecated


class Search(Protocol):
    """Finds things."""

    async def find(self, text: str, limit: int = 10, *, order: Literal["new", "old"] = "new") -> list[str]:
        """The names of what matches."""
        ...

    @deprecated("use find")
    async def search(self, text: str) -> list[str]:
        """The names of what matches.

        Args:
            text: part of a name.
        """
        ...
'''

BEGINNING = """
from capnweb_runtime import connect
from generated.accounts import AuthedApiTarget, PublicApiStub
from generated.search import SearchStub
from schemas.accounts import Profile


async def main(search: SearchStub) -> None:
    async with connect("ws://localhost:8080/rpc", PublicApiStub) as api:
        authed = api.authenticate("token")
        profile = authed.get_profile(authed.me())
"""


def in_a_file(text: str) -> tuple[str, Position]:
    """A whole file around some statements of `main`, or around classes; and where its cursor is, counted from 0."""
    inside = not text.lstrip().startswith(("class", "import", "from"))
    whole = BEGINNING + textwrap.indent(textwrap.dedent(text).strip("\n"), "        " if inside else "") + "\n"
    before = whole.partition(CURSOR)[0]
    position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
    return whole.replace(CURSOR, ""), position


@dataclass(frozen=True)
class Editor:
    """An open file of the project, by the server behind it."""

    server: LanguageServer
    file: Path

    def _show(self, text: str) -> Position:
        whole, position = in_a_file(text)
        self.server.show(self.file, whole)
        return position

    def offers(self, text: str) -> list[str]:
        """The names of the completion list, from the top."""
        items: list[Message] = self.server.ask("completion", self.file, self._show(text))["items"]
        return [item["label"] for item in sorted(items, key=lambda item: str(item.get("sortText", item["label"])))]

    def completion(self, text: str, name: str) -> Message:
        """One entry of the list, with what the server adds once it is selected."""
        items: list[Message] = self.server.ask("completion", self.file, self._show(text))["items"]
        (item,) = [item for item in items if item["label"] == name]
        selected: Message = self.server.request("completionItem/resolve", item)
        return selected

    def hover(self, text: str) -> str:
        """What is shown with the pointer at the cursor: code, a line, then the documentation."""
        shown: str = self.server.ask("hover", self.file, self._show(text))["contents"]["value"]
        return shown.replace("```python\n", "").replace("\n```", "")

    def signature(self, text: str) -> Message:
        """The signature shown between the parentheses of a call."""
        (signature,) = self.server.ask("signatureHelp", self.file, self._show(text))["signatures"]
        found: Message = signature
        return found

    def errors(self, text: str) -> list[tuple[str, str]]:
        """What is underlined as an error: the underlined text and the first line of what is said about it."""
        self._show(text)
        lines = in_a_file(text)[0].splitlines()
        found: list[tuple[str, str]] = []
        for fault in self.server.diagnostics(self.file):
            if fault["severity"] == 1:
                start, end = fault["range"]["start"], fault["range"]["end"]
                underlined = lines[start["line"]][start["character"] : end["character"]]
                found.append((underlined, re.split(r"\n", fault["message"])[0]))
        return found


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with schemas and what the compiler makes of them."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "schemas/search.py").write_text(SEARCH.lstrip(), "utf-8")
    command = [sys.executable, "-m", "capnweb_gen.cli", "schemas", "--out", "generated"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def editor(project: Path) -> Iterator[Editor]:
    """The project in an editor that runs pyright, which serves all tests."""
    analysis = {"diagnosticMode": "openFilesOnly", "typeCheckingMode": "standard"}
    settings = {"python": {"pythonPath": sys.executable, "analysis": analysis}, "python.analysis": analysis}
    with LanguageServer(["node", str(LANGSERVER), "--stdio"], project, settings) as server:
        yield Editor(server, project / "main.py")
