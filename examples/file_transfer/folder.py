"""The server's folder: complete files, and files on their way, which end in `.part`.

Rule: what is on the disk is the truth. How far an upload has come is the length of its part, so that it is known after
a crash, too. Nothing here knows of sessions.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from examples.file_transfer.schemas.file_transfer import NoSuchFile, OutsideFolder, QuotaExceeded

PART = ".part"
PIECE = 256 * 1024
"""Bytes that are read and sent at a time."""


@dataclass
class Place:
    """What the server knows of a file on its way.

    Attributes:
        reserved: how many bytes it may come to.
        writer: the upload that may write; a later one takes its place.
        writing: held while a piece is written.
    """

    reserved: int = 0
    writer: object = None
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Folder:
    """A folder with room for a number of bytes.

    Parameters:
        path: where it is.
        quota: how many bytes there may be in it.
    """

    def __init__(self, path: Path, quota: int) -> None:
        self.path = path
        self.quota = quota
        self.places: defaultdict[str, Place] = defaultdict(Place)

    def file(self, name: str) -> Path:
        """Where a file is. Raises OutsideFolder unless the name is a plain one."""
        if name in {"", ".", ".."} or any(character in name for character in "/\\\0") or name.endswith(PART):
            raise OutsideFolder(f"{name!r} is not the name of a file in this folder")
        return self.path / name

    def part(self, name: str) -> Path:
        """Where a file is as long as it is not complete."""
        return self.file(name).with_name(name + PART)

    def complete(self, name: str) -> Path:
        """A file that is there. Raises NoSuchFile if it is not."""
        file = self.file(name)
        if file.is_symlink() or not file.is_file():
            raise NoSuchFile(f"there is no file {name!r}")
        return file

    def names(self) -> list[str]:
        """The complete files."""
        return sorted(file.name for file in self.path.iterdir() if file.suffix != PART)

    def kept(self, name: str) -> int:
        """How many bytes there are of a file on its way."""
        part = self.part(name)
        return part.stat().st_size if part.exists() else 0

    def reserve(self, name: str, size: int) -> Place:
        """Keep room for a file. Raises QuotaExceeded if there is not enough."""
        own = self.part(name)
        taken = sum(file.stat().st_size for file in self.path.iterdir() if file != own)
        announced = sum(
            max(0, place.reserved - self.kept(other)) for other, place in self.places.items() if other != name
        )
        free = max(0, self.quota - taken - announced)
        if size > free:
            raise QuotaExceeded(f"{name!r} needs {size:,} bytes, and there is room for {free:,}", free)
        place = self.places[name]
        place.reserved = size
        return place


def sha256_of(file: Path) -> str:
    """The checksum of a file, read piece by piece."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
