"""The project's files as the tests of this folder read them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("capnweb_gen", "capnweb_runtime")
COMPILED = {"golden", "diagnostics"}  # folders of what the compiler reads and writes, faulty schemas among it

_NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", "build", "dist", "htmlcov"}


def project_files() -> Iterator[Path]:
    """Yield every file of the project, leaving out what .gitignore leaves out."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in sorted(folders) if not _ignored(name)]
        yield from (Path(folder) / name for name in sorted(names) if not _left_out(name))


def modules(*packages: str) -> list[Path]:
    """Return the Python files of ``packages``, in a fixed order."""
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """Return a path as messages show it."""
    return path.relative_to(ROOT).as_posix()


def _left_out(file: str) -> bool:
    return file in (".git", "chaos.log") or file.startswith(".coverage")  # in a worktree .git is a file


def _ignored(folder: str) -> bool:
    return folder in _NOT_OURS or folder.startswith(".venv-") or folder.endswith(("_cache", ".egg-info", ".hypothesis"))
