"""Repositories of git in temporary folders, with schemas in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SETTINGS = '[tool.capnweb-gen]\nschemas = ["{}"]\nout = "generated"\n'
OLD = """\
from typing import Protocol


class Api(Protocol):
    def greet(self, name: str = "you") -> str: ...
"""
NEW = OLD.replace(' = "you"', "")


def git(folder: Path, *arguments: str) -> str:
    """Run git, as somebody, with no settings of this machine."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def committed(folder: Path, message: str = "change") -> None:
    """Commit everything in a folder, which becomes a repository if it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def state(folder: Path) -> tuple[str, str, dict[str, bytes]]:
    """Everything that a command that only reads must leave as it is, but for what Python keeps of what it imports."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts and "__pycache__" not in path.parts
    }
    index = (folder / ".git/index").read_bytes() if (folder / ".git/index").exists() else b""
    status = git(folder, "status", "--porcelain", "--branch", "--", ".", ":(exclude,glob)**/__pycache__/**")
    return status, index.hex(), files
