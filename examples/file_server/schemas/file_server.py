"""Folders that may be read, and folders that may be changed: two interfaces, and two kinds of objects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal, Protocol

from annotated_types import Ge
from pydantic import AwareDatetime, BaseModel

from capnweb_runtime.schema import Capability, Secret, raises


class Entry(BaseModel):
    """What is in a folder. A tag is another one whenever the content is another one."""

    name: str
    kind: Literal["file", "folder"]
    size: int
    modified: AwareDatetime
    tag: str


class Content(BaseModel):
    """A file: its entry, and what is in it; nothing if that is what the client has already."""

    entry: Entry
    pieces: Capability[AsyncIterator[bytes]] | None


class OutsideFolder(Exception):
    """A path that does not lead downwards: absolute, or with `..`, a hidden name or NUL in it."""


class NotFound(Exception):
    """There is nothing of the kind that was asked for. Symbolic links are not followed."""


class OutOfRange(Exception):
    """The file ends before that. `size` is where."""

    size: int

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size:,} bytes")
        self.size = size


class Changed(Exception):
    """The file is not what the writer took it for. `tag` is what it has now; empty if there is none."""

    tag: str

    def __init__(self, tag: str) -> None:
        super().__init__("somebody has changed the file meanwhile")
        self.tag = tag


class TooLarge(Exception):
    """No file here may have so many bytes. `most` is how many it may have."""

    most: int

    def __init__(self, most: int) -> None:
        super().__init__(f"a file may have {most:,} bytes")
        self.most = most


class WrongPassword(Exception):
    """That is not the password of those who may write."""


class ReadFolder(Protocol):
    """A folder, and what is below it, to read."""

    async def entries(self) -> list[Entry]:
        """What is in the folder, by name."""
        ...

    @raises(NotFound, OutsideFolder)
    async def folder(self, path: str) -> ReadFolder:
        """A folder below this one: whoever is given it cannot get up here."""
        ...

    @raises(NotFound, OutsideFolder)
    async def content(self, path: str, known: str = "") -> Content:
        """A file, unless its tag is `known`."""
        ...

    @raises(NotFound, OutsideFolder, OutOfRange)
    async def read(
        self, path: str, start: int = 0, length: Annotated[int, Ge(0)] | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes of a file from `start` on, which counts from the end if it is negative; `length` at most."""
        ...


class Folder(ReadFolder, Protocol):
    """A folder, and what is below it, to read and change."""

    @raises(NotFound, OutsideFolder)
    async def folder(self, path: str) -> Folder: ...

    @raises(OutsideFolder, NotFound, Changed, TooLarge)
    async def write(self, path: str, pieces: AsyncIterator[bytes], if_tag: str | None = None) -> Entry:
        """Make a file, or put another one in its place: at once, when all of it is there.

        With `if_tag`, only if the file has that tag, or with an empty one if there is none.
        """
        ...

    @raises(OutsideFolder, NotFound)
    async def remove(self, path: str) -> None: ...

    @raises(OutsideFolder, NotFound)
    async def make_folder(self, path: str) -> Folder: ...

    async def reading(self) -> ReadFolder:
        """The same folder for those who are to read it alone."""
        ...


class FileServer(Protocol):
    """What everybody gets first."""

    async def reading(self) -> ReadFolder: ...

    @raises(WrongPassword)
    async def writing(self, password: Secret[str]) -> Folder:
        """The same folder, for those who know the password."""
        ...
