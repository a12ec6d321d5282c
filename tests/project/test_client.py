"""docs/client.md: its server starts, and answers as it shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click import Context

from capnweb_gen.cli import main
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "client.md").read_text("utf-8")
COMMANDS = [
    (command, said)
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]
(DIALOGUE,) = re.findall(r"```pycon\n(.*?)```", TEXT, re.DOTALL)
STARTING, COMPILING = (block.splitlines() for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
ADDRESS = "127.0.0.1:8080"


def arguments_of(command: str) -> list[str]:
    program, *rest = shlex.split(command)
    return [sys.executable, *(["-m", "capnweb_gen.cli"] if program == "capnweb-gen" else []), *rest]


class Library:
    """The server that is shown.

    Attributes:
        folder: where its files are.
        address: where it listens.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address

    def run(self, command: str, typed: str = "") -> tuple[int, str, str]:
        """Runs a command there; returns its exit code, what it prints, and what it says."""
        arguments = [argument.replace(ADDRESS, self.address) for argument in arguments_of(command)]
        done = subprocess.run(
            arguments, cwd=self.folder, env=environment(), input=typed, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


@contextmanager
def serving(folder: Path) -> Iterator[Library]:
    for file, content in (*re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL), ("schemas/__init__.py", "")):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(content, "utf-8")
    compiling, starting = STARTING
    subprocess.run(arguments_of(compiling), cwd=folder, env=environment(), check=True, timeout=60, capture_output=True)
    arguments = arguments_of(starting.replace("--port 8080", "--port 0"))
    with subprocess.Popen(arguments, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            (address,) = re.findall(r"ws://([\d.:]+)/rpc", server.stdout.readline())
            yield Library(folder, address)
        finally:
            server.terminate()
            server.wait(60)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with serving(tmp_path_factory.mktemp("library")) as server:
        yield server


@pytest.mark.parametrize(("command", "said"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_prints_what_is_shown(library: Library, command: str, said: str) -> None:
    code, printed, aside = library.run(command)
    assert code == (2 if "expression:" in said else 1 if "raised by" in said else 0)
    if "--trace" in command:
        shown, _, result = said.partition("-> pull ...\n")
        assert aside.startswith(shown)
        assert printed == result
    else:
        assert printed + aside == said


def test_the_dialogue_goes_as_shown(library: Library) -> None:
    lines = DIALOGUE.splitlines(keepends=True)
    typed = "".join(line.removeprefix(">>> ") for line in lines if line.startswith(">>> "))
    answers = "".join(line for line in lines if not line.startswith(">>> "))
    url = f"ws://{ADDRESS}/rpc"
    assert library.run(f"capnweb-gen repl {url} --format tree", typed) == (0, answers, "")


def test_what_the_server_says_compiles_as_shown(library: Library, tmp_path: Path) -> None:
    asking, compiling = COMPILING
    command, _, file = asking.partition(" > ")
    _, printed, _ = library.run(command)
    (library.folder / file).write_text(printed, "utf-8")
    code, _, _ = library.run(compiling.replace("generated", str(tmp_path)))
    assert code == 0
    assert "class LibraryStub" in (tmp_path / "library.py").read_text("utf-8")


def test_every_option_is_listed_and_is_one() -> None:
    table = TEXT.partition("## Servers")[2]
    listed = {*re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE)} | {"--format"}
    for name in ("call", "repl"):
        command = main.get_command(Context(main), name)
        assert command is not None
        assert {
            option for parameter in command.params for option in parameter.opts if option.startswith("--")
        } == listed


def test_every_form_that_json_lacks_is_listed() -> None:
    written = (ROOT / "capnweb_gen" / "client" / "shown.py").read_text("utf-8")
    rare = {"$request", "$response", "$date", "$other"}
    assert {*re.findall(r'"(\$\w+)"', written)} - rare == {*re.findall(r'"(\$\w+)"', TEXT)}
