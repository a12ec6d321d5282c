"""The files of another revision, as git has them, in a folder of their own.

Rule: git is asked, never told: neither the working tree nor the index is touched, and nothing is fetched. What is made
is gone when it is no longer needed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class RevisionError(Exception):
    """A revision cannot be read.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Revision:
    """The files of a revision.

    Attributes:
        name: what it was asked for by.
        root: the folder that has its files as the top of the repository had them.
        top: the top of the working tree.
        commit: the whole hash.
    """

    name: str
    root: Path
    top: Path
    commit: str

    def there(self, path: Path) -> Path:
        """Where a path of the working tree is in this revision; it need not exist.

        Raises:
            RevisionError: it is not in the repository, or in another one that is a part of it.
        """
        path = path.absolute()
        if not path.is_relative_to(self.top):
            path = path.resolve()
        if not path.is_relative_to(self.top):
            hint = f"name schemas below {self.top}, or compare with an IR snapshot: capnweb-gen lock writes one"
            raise RevisionError(f"{path} is not in the repository {self.top}", hint)
        inside = path.relative_to(self.top)
        for part in self._parts():
            if inside.is_relative_to(part) and part != Path():
                message = (
                    f"{inside.as_posix()} is in the submodule {part.as_posix()}, of which {self.name} has no files"
                )
                hint = f"run this in {part.as_posix()}, with a revision of that repository"
                raise RevisionError(message, hint)
        return self.root / inside

    def before(self, path: Path) -> Path | None:
        """What a file of now was called in this revision, in that folder; None if git sees no file like it."""
        inside = path.absolute().relative_to(self.top).as_posix()
        told = _git(self.top, "diff", "--name-status", "-z", "--find-renames", "--diff-filter=R", self.commit, "--")
        fields = told.stdout.split("\0")
        for index in range(0, len(fields) - 2, 3):
            if fields[index + 2] == inside:
                return self.root / fields[index + 1]
        return None

    def _parts(self) -> list[Path]:
        """The submodules, at whatever revision."""
        told = _git(self.top, "ls-tree", "-r", "-z", "--full-tree", self.commit)
        lines = (line for line in told.stdout.split("\0") if line.startswith("160000 "))
        return [Path(line.partition("\t")[2]) for line in lines]


@contextmanager
def revision(name: str, near: Path) -> Generator[Revision]:
    """While this lasts, there are the files of a revision.

    Args:
        name: a branch, a tag, a commit.
        near: a folder in the working tree.

    Raises:
        RevisionError: there is no git, no repository, no such revision, or its files are not here.
    """
    top = _top(near)
    commit = _commit(name, top)
    with tempfile.TemporaryDirectory(prefix="capnweb-gen-") as made:
        root = Path(made).resolve() / "tree"
        root.mkdir()
        # An index of its own keeps that of the repository as it is.
        own = {"GIT_INDEX_FILE": str(Path(made).resolve() / "index"), "GIT_LFS_SKIP_SMUDGE": "1"}
        for command in (
            ["read-tree", commit],
            [f"--work-tree={root}", "-c", "core.bare=false", "checkout-index", "--all", "--quiet"],
        ):
            done = _git(top, *command, own=own)
            if done.returncode != 0:
                raise RevisionError(f"the files of {name} cannot be read: {_last(done.stderr)}", _fetching(top))
        yield Revision(name, root, top, commit)


def _top(near: Path) -> Path:
    told = _git(near, "rev-parse", "--show-toplevel")
    if told.returncode != 0:
        hint = "run this inside a repository, or compare with an IR snapshot: capnweb-gen lock writes one"
        if "dubious ownership" in told.stderr:
            hint = f"git does not trust it: git config --global --add safe.directory {near.absolute()}"
        raise RevisionError(f"{near.absolute()} is in no git repository with a working tree", hint)
    return Path(told.stdout.removesuffix("\n"))


def _commit(name: str, top: Path) -> str:
    told = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if told.returncode == 0:
        return told.stdout.strip()
    raise RevisionError(f"git knows no revision {name!r} here", _fetching(top))


def _fetching(top: Path) -> str:
    if _git(top, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        return (
            "this clone is shallow, so that it may be missing: git fetch --unshallow, or in GitHub Actions "
            "fetch-depth: 0 for actions/checkout"
        )
    return "name a branch, a tag or a commit that `git log` shows; fetch it first if it is a remote's: git fetch origin"


def _git(folder: Path, *arguments: str, own: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Ask git.

    Raises:
        RevisionError: it is not installed.
    """
    # A hook runs with these; they name a repository, and here it is the folder that does.
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    command: Sequence[str] = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            env={**inherited, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **(own or {})},
        )
    except FileNotFoundError as error:
        hint = "install it, or compare with an IR snapshot: capnweb-gen lock writes one"
        raise RevisionError("git is not installed", hint) from error


_OF_HOOKS = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line]
    return lines[-1].removeprefix("fatal: ").removeprefix("error: ") if lines else "git says nothing"
