"""Generated files on disk: writing them, and telling whether they are up to date.

Rule: a file is replaced as a whole or not at all, and only if its first line says that it was generated. Files that
would not change are left alone.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.files import shown
from capnweb_gen.lower.module import HEADER


@dataclass(frozen=True)
class Change:
    """A generated file that is not as it should be. `before` is None if it is missing, `after` if it should not be
    there.
    """

    path: Path
    before: str | None
    after: str | None

    def diff(self) -> str:
        """What writing would change, as a unified diff."""
        name = shown(self.path)
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            f"a/{name}" if self.before is not None else "/dev/null",
            f"b/{name}" if self.after is not None else "/dev/null",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def compare(files: Mapping[str, str], out: Path, sources: frozenset[str]) -> tuple[list[Change], list[Diagnostic]]:
    """What has to change in the output folder, and which files there are in the way.

    Args:
        files: texts by path relative to `out`.
        out: the output folder.
        sources: the folders whose schemas were compiled, as headers write them. A generated file that names a schema
            in one of them, and that this run did not make, has lost its schema.
    """
    changes: list[Change] = []
    faults: list[Diagnostic] = []
    for name, text in files.items():
        path = out / name
        before = _read(path)
        is_package = path.name == "__init__.py"
        if before is None:
            changes.append(Change(path, None, text))
        elif not _is_generated(before):
            if not is_package:  # an __init__.py of the user's own serves as well
                hint = "move it away, or give another folder with --out"
                message = "this file was not generated, so it is not replaced"
                faults.append(Diagnostic(shown(path), 1, 1, message, hint))
        elif before != text:
            changes.append(Change(path, before, text))
    changes.extend(_orphans(files, out, sources))
    return changes, faults


def write(changes: list[Change]) -> None:
    """Make the changes, each file in one step.

    Raises:
        OSError: a file or folder cannot be written.
    """
    for change in changes:
        if change.after is None:
            change.path.unlink()
        else:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            _replace(change.path, change.after)


def _orphans(files: Mapping[str, str], out: Path, sources: frozenset[str]) -> Iterator[Change]:
    for path in sorted(out.rglob("*.py")) if out.is_dir() else ():
        text = _read(path)
        if text is None or path.relative_to(out).as_posix() in files:
            continue
        source = text.removeprefix(f"{HEADER} from ").split()[0]
        if _is_generated(text) and any(source.startswith(f"{folder}/") for folder in sources):
            yield Change(path, text, None)


def _is_generated(text: str) -> bool:
    return text.startswith(HEADER)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _replace(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp makes files that only their owner reads; source files follow the umask.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
