"""Someone who follows a page: writes its files, runs its commands, and looks at what they print.

A block whose first line is a comment with a path is a file; ``sh`` are commands, line by line, of which one that serves
runs on until the page is left, and ``cd`` leads into a folder; ``text`` is what the command before has printed.
"""

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

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:#|//) (\S+\.(?:py|toml|mjs))\n")
CAPTURED: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
SERVING = ("python server.py", "python -m hello.server", "python -m capnweb_runtime serve ")
INSTALLED = ("pip install ", "python -m venv ", ". .venv/")
"""That is how these tests came to run."""


def blocks(text: str) -> list[tuple[str, str]]:
    """The code blocks of a text: language and content, in order."""
    return [(match[1], match[2]) for match in BLOCK.finditer(text)]


def commands_environment() -> dict[str, str]:
    """An environment in which `python` and `capnweb-gen` are those that run the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Reader:
    """Someone who follows a page in a folder.

    Parameters:
        folder: the folder.
        stop: the signal with which servers are stopped at the end.
        silent: whether servers say nothing but that they serve.
    """

    def __init__(self, folder: Path, stop: signal.Signals = signal.SIGINT, *, silent: bool = False) -> None:
        self.folder = folder
        self.environment = commands_environment()
        self.stop = stop
        self.silent = silent
        self.printed = ""
        # The one liberty: port 8080 may be taken on this machine.
        self.port = str(free_port())

    def follow(self, text: str) -> int:
        """Do what a page says, from its first line to its last.

        Returns:
            How often what was printed was compared with what the page shows.
        """
        compared = 0
        with ExitStack() as until_left:
            for language, block in blocks(text):
                if FILE.match(block):
                    self.write(block)
                elif language == "sh":
                    for command in block.splitlines():
                        self.run(command, until_left)
                elif language == "text":
                    assert self.printed == block, self.printed
                    compared += 1
        return compared

    def write(self, text: str) -> None:
        """Write the file that a block names in its first line."""
        named = FILE.match(text)
        assert named, f"a block has to begin with the name of its file: {text[:60]!r}"
        path = self.folder / named[1]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("8080", self.port), "utf-8")

    def run(self, command: str, until_left: ExitStack) -> None:
        """Run one command; a server runs on, in its terminal."""
        if command.startswith(INSTALLED):
            return
        command = command.replace("8080", self.port)
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
        elif command.startswith(SERVING):
            until_left.enter_context(self._serving(command))
        else:
            done = subprocess.run(
                command, shell=True, cwd=self.folder, env=self.environment, check=False, timeout=120, **CAPTURED
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            self.printed = done.stdout
            if command.startswith("capnweb-gen init "):
                self._take_own_port(self.folder / command.rpartition(" ")[2])

    def _take_own_port(self, project: Path) -> None:
        for path in project.rglob("*.py"):
            path.write_text(path.read_text("utf-8").replace("8080", self.port), "utf-8")

    @contextmanager
    def _serving(self, command: str) -> Iterator[None]:
        with subprocess.Popen(command.split(), cwd=self.folder, env=self.environment, **CAPTURED) as server:
            try:
                assert server.stdout is not None
                said = server.stdout.readline()
                while said and not said.startswith("serving ws://"):
                    said = server.stdout.readline()  # log lines of a server that has no program
                assert said, f"{command} has ended"
                yield
                server.send_signal(self.stop)
                printed, _ = server.communicate(timeout=60)
                assert server.returncode == 0, printed
                assert not (self.silent and printed), printed
            finally:
                server.kill()
