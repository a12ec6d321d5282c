"""Tries a release as a user would: an empty environment, `pip install` by name from an index, a schema, a server, a
call. The index is a folder on this machine that has the release alone; what that stands on comes from where pip looks.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "capnweb-gen"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
SCHEMA = '''
"""Arithmetic."""

from typing import Protocol


class Calculator(Protocol):
    """Adds."""

    async def add(self, a: int, b: int) -> int: ...
'''
PROGRAM = """
import asyncio

from capnweb_runtime import connect, serve
from generated.arithmetic import CalculatorStub, CalculatorTarget


class Calculator(CalculatorTarget):
    def add(self, a: int, b: int) -> int:
        return a + b


async def main() -> None:
    async with serve(lambda peer: Calculator(), "127.0.0.1", 0, path="/rpc") as server:
        async with connect(server.url, CalculatorStub) as calculator:
            print(await calculator.add(calculator.add(1, 2), 3))


asyncio.run(main())
"""


def pythons(only: list[str] | None) -> dict[str, str | None]:
    """The interpreters that are tried, by version; None where this machine has none."""
    return {version: _found(version) for version in only or VERSIONS}


def _found(version: str) -> str | None:
    candidates = [f"python{version}", *map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))]
    for candidate in candidates:
        program = shutil.which(candidate)
        asked = [program or "", "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
        if program and subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == version:
            return program
    return None


@contextmanager
def index(folder: Path, files: list[Path]) -> Iterator[str]:
    """An index that has these files alone, for as long as the block lasts; gives the URL of its page."""
    project = folder / "simple" / NAME
    project.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, project / file.name)
    links = "".join(f'<a href="{file.name}">{file.name}</a>\n' for file in files)
    (project / "index.html").write_text(f"<!doctype html>\n{links}", "utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/{NAME}/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def tried(interpreter: str, version: str, url: str, folder: Path) -> None:
    """Installs a version by its name and uses it.

    Parameters:
        interpreter: the Python.
        version: which to install.
        url: of the index's page for the project.
        folder: for the environment, which stays there.
    """
    _run(interpreter, "-m", "venv", folder / "venv", cwd=folder.parent)
    python = folder / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--find-links", url)
    _run(*pip, f"{NAME}=={version}", cwd=folder)
    project = folder / "project"
    (project / "schemas").mkdir(parents=True)
    (project / "schemas" / "__init__.py").touch()
    (project / "schemas" / "arithmetic.py").write_text(SCHEMA, "utf-8")
    (project / "program.py").write_text(PROGRAM, "utf-8")
    _run(folder / "venv" / "bin" / "capnweb-gen", "schemas", "--out", "generated", cwd=project)
    answer = _run(python, "program.py", cwd=project)
    if answer != "6\n":
        raise AssertionError(f"1 + 2 + 3 is {answer!r} by {interpreter}")


def _run(*command: str | Path, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=600).stdout
