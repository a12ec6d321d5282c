"""The README's quick start does what it says, run as printed: its files are written, its commands executed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.project.sources import ROOT

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.py)\n")
CAPTURED: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


def quick_start() -> list[tuple[str, str]]:
    """Return the code blocks of the quick start: language and text, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Quick start\n")[2].partition("\n## ")[0]
    return [(match[1], match[2]) for match in BLOCK.finditer(section)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment() -> dict[str, str]:
    """Return an environment in which `python` and `capnweb-gen` are those that run the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


class Reader:
    """Someone who follows the quick start in an empty folder.

    Parameters:
        folder: the folder.
        environment: the environment of the commands.
        stop: the signal with which the server is stopped at the end.
    """

    def __init__(self, folder: Path, environment: dict[str, str], stop: signal.Signals) -> None:
        self.folder = folder
        self.environment = environment
        self.stop = stop
        self.printed = ""
        # The one liberty: port 8080 may be taken on this machine.
        self.port = str(free_port())

    def write(self, text: str) -> None:
        """Write the file that a Python block names in its first line; it has said how to make the folder."""
        named = FILE.match(text)
        assert named, f"a Python block has to begin with the name of its file: {text[:60]!r}"
        (self.folder / named[1]).write_text(text.replace("8080", self.port))

    def run(self, command: str, until_left: ExitStack) -> None:
        """Run one command; a server runs on, in its terminal."""
        if command == "python server.py":
            until_left.enter_context(self._serving(command))
        elif command != "pip install .":  # that is how these tests came to run
            done = subprocess.run(
                command, shell=True, cwd=self.folder, env=self.environment, check=False, timeout=60, **CAPTURED
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            self.printed = done.stdout

    @contextmanager
    def _serving(self, command: str) -> Iterator[None]:
        with subprocess.Popen(command.split(), cwd=self.folder, env=self.environment, **CAPTURED) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline().startswith("serving ws://")
                yield
                server.send_signal(self.stop)
                printed, _ = server.communicate(timeout=60)
                assert (server.returncode, printed) == (0, "")
            finally:
                server.kill()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_quick_start_does_what_it_says(tmp_path: Path, environment: dict[str, str], stop: signal.Signals) -> None:
    reader = Reader(tmp_path, environment, stop)
    with ExitStack() as until_left:
        for language, text in quick_start():
            if language == "python":
                reader.write(text)
            elif language == "sh":
                for command in text.splitlines():
                    reader.run(command, until_left)
            elif language == "text":
                assert reader.printed == text
                return
    raise AssertionError("the quick start does not show what its client prints")


def test_links_to_files_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text(encoding="utf-8"))
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"(?:^    |`)make ([a-z-]+)", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= targets
        assert named
