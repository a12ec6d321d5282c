"""Projects that an editor shows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.gen.language_server.editor import Editor, editing

SETTINGS = '[tool.capnweb-gen]\nschemas = ["schemas"]\nout = "generated"\n'
ACCOUNTS = (Path(__file__).parents[3] / "schemas/accounts.py").read_text("utf-8")

Write = Callable[[dict[str, str]], Path]


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `capnweb-gen` in a project."""
    program = [sys.executable, "-P", "-m", "capnweb_gen.cli", *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """Writes a project, with settings for the compiler unless it has a pyproject.toml of its own."""

    def write(files: dict[str, str]) -> Path:
        root = tmp_path.resolve() / "project"
        for name, text in {"pyproject.toml": SETTINGS, "schemas/__init__.py": "", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode())
        return root

    return write


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is generated from the schema of accounts."""
    root = tmp_path_factory.mktemp("compiled")
    (root / "schemas").mkdir()
    (root / "schemas/__init__.py").touch()
    (root / "schemas/accounts.py").write_bytes(ACCOUNTS.encode())
    (root / "pyproject.toml").write_text(SETTINGS)
    assert command(root).returncode == 0
    return root / "generated"


@pytest.fixture
def accounts(project: Write, compiled: Path) -> Path:
    """A project with the schema of accounts, which is compiled."""
    root = project({"schemas/accounts.py": ACCOUNTS})
    shutil.copytree(compiled, root / "generated")
    return root


@pytest.fixture
async def editor(accounts: Path) -> AsyncIterator[Editor]:
    """An editor on the schema of accounts, which is open."""
    async with editing(accounts) as found:
        found.open("schemas/accounts.py")
        yield found
