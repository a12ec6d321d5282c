"""Generated files on disk: writing them, and telling whether they are up to date.

Rule: a run changes everything or nothing. A file is replaced as a whole, and only if it says near its top that it was
generated. Files that would not change are left alone.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen.backends.plugins import PYTHON
from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.naming import MARK, is_generated, noticed

_SOURCE = re.compile(rf"{MARK} from (\S+)")
_COMMAND = re.compile(r"run: capnweb-gen (?:.* )?--out .*")
_BACKEND = re.compile(r" --backend ([^\s\"',]+)")


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


def compare(
    files: Mapping[str, str],
    out: Path,
    sources: frozenset[str],
    *,
    backend: str = PYTHON,
    kept: Collection[Path] = (),
) -> tuple[list[Change], list[Diagnostic]]:
    """What has to change in the output folder, and which files there are in the way.

    Args:
        files: texts by path relative to `out`.
        out: the output folder.
        sources: the folders whose schemas were compiled, as headers write them. A generated file that names a schema
            in one of them, and that this run did not make, has lost its schema.
        backend: what made the files. A generated file that says what else made it is left alone. Of one that does not
            say it, the ending decides: it has to be one that files of this run have; where there are none, that of a
            module is Python's, and any other another's.
        kept: the real paths of all files of the run, also of other outputs, which may be in the same folder.
    """
    changes: list[Change] = []
    faults: list[Diagnostic] = []
    for name, text in files.items():
        path = out / name
        try:
            before = _read(path)
        except OSError as error:
            hint = "move it away, or give another folder with --out"
            faults.append(Diagnostic(shown(path), 1, 1, f"this cannot be read: {error.strerror}", hint))
            continue
        is_package = path.name == "__init__.py"
        if before is None:
            changes.append(Change(path, None, text))
        elif not is_generated(before):
            if not is_package:  # an __init__.py of the user's own serves as well
                hint = "move it away, or give another folder with --out"
                message = "this file was not generated, so it is not replaced"
                faults.append(Diagnostic(shown(path), 1, 1, message, hint))
        elif before != text:
            changes.append(Change(path, before, text))
    changes.extend(_orphans(files, out, sources, backend, kept))
    return changes, faults


def write(changes: list[Change]) -> None:
    """Make the changes: all of them, or, if anything fails or interrupts it, none.

    New texts are first written beside their places, where running out of space or permission harms nothing; then all
    take their places.

    Raises:
        OSError: a file or folder cannot be written.
    """
    folders: list[Path] = []
    staged: list[tuple[Change, Path]] = []
    done: list[Change] = []
    try:
        for change in changes:
            if change.after is not None:
                folders.extend(_make_folder(change.path.parent))
                staged.append((change, _stage(change.path, change.after)))
        for change, temporary in staged:
            done.append(change)
            temporary.replace(change.path)
        for change in changes:
            if change.after is None:
                done.append(change)
                change.path.unlink()
    except BaseException:
        _undo(done)
        for _, temporary in staged:
            temporary.unlink(missing_ok=True)
        for folder in reversed(folders):
            with suppress(OSError):
                folder.rmdir()
        raise


def _undo(done: list[Change]) -> None:
    """Put back what was there, as far as that is possible now."""
    for change in done:
        with suppress(OSError):
            if change.before is None:
                change.path.unlink(missing_ok=True)
            elif _read(change.path) != change.before:
                change.path.write_bytes(change.before.encode())


def _orphans(
    files: Mapping[str, str], out: Path, sources: frozenset[str], backend: str, kept: Collection[Path]
) -> Iterator[Change]:
    endings = {Path(name).suffix for name in files}
    for path in sorted(out.rglob("*")) if out.is_dir() and sources else ():
        may_be = path.suffix in endings if files else (path.suffix == ".py") == (backend == PYTHON)
        if not may_be or not path.is_file() or path.relative_to(out).as_posix() in files or path.resolve() in kept:
            continue
        text = _read(path) or ""
        source = _SOURCE.search(noticed(text))
        mine = source is not None and _maker(text) in (backend, None)
        if source and mine and any(folder == "." or source[1].startswith(f"{folder}/") for folder in sources):
            yield Change(path, text, None)


def _maker(text: str) -> str | None:
    """The back end that made a generated file, by the command in its first lines; None if there is no such command."""
    command = _COMMAND.search("\n".join(text.split("\n", 5)[:5]))
    if command is None:
        return None
    named = _BACKEND.search(command[0])
    return named[1] if named else PYTHON


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; give those that were missing, outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _stage(path: Path, text: str) -> Path:
    """Write a text beside the place it is for."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp makes files that only their owner reads; source files follow the umask, or what they were before.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
