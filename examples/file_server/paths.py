"""Opens what is below a folder, and nothing else.

Rule: a path is walked part by part, each from the folder before it (`openat`), and no symbolic link is followed. So
there is no moment between looking where a path leads and opening it in which somebody could lead it elsewhere. Nothing
here takes an absolute path from a client, or joins texts to paths.
"""

from __future__ import annotations

import os
import stat
import weakref
from datetime import UTC, datetime

from examples.file_server.schemas.file_server import Entry, NotFound, OutsideFolder

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | _NO_LINK
FILE = os.O_RDONLY | os.O_NONBLOCK | _NO_LINK  # without waiting: a named pipe is opened, seen to be none, and closed


class Descriptor:
    """A descriptor of a folder. It is closed as soon as nobody has this any more: neither the object that a client
    holds, nor a call that has come and not begun yet when its client lets go of that object.

    Parameters:
        number: the descriptor; owned.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        weakref.finalize(self, os.close, number)


def parts_of(path: str) -> list[str]:
    """The parts of a path downwards; none for the folder itself. Raises OutsideFolder if it is no such path."""
    parts = path.split("/") if path else []
    for part in parts:
        if not part or part.startswith(".") or "\0" in part:
            raise OutsideFolder(f"{path!r} does not lead downwards from here")
    return parts


def open_folder(folder: int, parts: list[str]) -> int:
    """A descriptor of a folder below another one, to be closed by the caller. Raises NotFound if there is none."""
    opened = os.dup(folder)
    for part in parts:
        try:
            below = os.open(part, FOLDER, dir_fd=opened)
        except OSError:
            raise NotFound(f"there is no folder {'/'.join(parts)!r}") from None
        finally:
            os.close(opened)
        opened = below
    return opened


def open_parent(folder: int, path: str) -> tuple[int, str]:
    """A descriptor of the folder in which something is, to be closed by the caller, and its name in there."""
    parts = parts_of(path)
    if not parts:
        raise OutsideFolder("a folder is not in itself")
    return open_folder(folder, parts[:-1]), parts[-1]


def open_file(folder: int, path: str) -> int:
    """A descriptor of a file to read, to be closed by the caller. Raises NotFound if there is none."""
    parent, name = open_parent(folder, path)
    try:
        opened = os.open(name, FILE, dir_fd=parent)
    except OSError:
        raise NotFound(f"there is no file {path!r}") from None
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise NotFound(f"{path!r} is no file")
    return opened


def entry_of(name: str, found: os.stat_result) -> Entry | None:
    """What is told of a file or folder; None of what is neither."""
    if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        return None
    # A file that is put in the place of another one has another number, whatever the clock says.
    tag = f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"
    modified = datetime.fromtimestamp(found.st_mtime_ns // 1_000_000 / 1000, UTC)
    return Entry(
        name=name,
        kind="folder" if stat.S_ISDIR(found.st_mode) else "file",
        size=found.st_size,
        modified=modified,
        tag=tag,
    )


def entries_of(folder: int) -> list[Entry]:
    """The files and folders in a folder, by name; neither links nor what is hidden."""
    found: list[Entry] = []
    for name in sorted(os.listdir(folder)):
        if not name.startswith("."):
            entry = entry_of(name, os.stat(name, dir_fd=folder, follow_symlinks=False))
            if entry is not None:
                found.append(entry)
    return found
