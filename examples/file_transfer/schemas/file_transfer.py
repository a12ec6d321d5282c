"""Files that are sent and fetched in pieces, and go on where they were cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Protocol

from annotated_types import Ge
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises

Bytes = Annotated[int, Ge(0)]


class Stored(BaseModel):
    """A file that is complete."""

    name: str
    size: int
    sha256: str


class QuotaExceeded(Exception):
    """There is no room for so much. `free` is how many bytes there is room for."""

    free: int

    def __init__(self, message: str, free: int) -> None:
        super().__init__(message)
        self.free = free


class WrongChecksum(Exception):
    """What has arrived is not what was sent, and was thrown away. `actual` is its checksum."""

    actual: str

    def __init__(self, actual: str) -> None:
        super().__init__(f"what has arrived has the checksum {actual}")
        self.actual = actual


class SenderStopped(Exception):
    """The sender's stream broke off. `kept` is how many bytes there are of the file."""

    kept: int

    def __init__(self, why: str, kept: int) -> None:
        super().__init__(why)
        self.kept = kept


class OutsideFolder(Exception):
    """A name that would lead out of the folder, or to what is no file of a client's."""


class Superseded(Exception):
    """Somebody has begun to send the same file later; that upload goes on, and this one does not."""


class NoSuchFile(Exception):
    """There is no complete file of that name."""


class Upload(Protocol):
    """A file on its way up. Whoever holds one may add to the file, and nobody else."""

    @property
    def offset(self) -> int:
        """How many bytes are kept: where to go on."""
        ...

    @raises(QuotaExceeded, SenderStopped, Superseded)
    async def append(self, offset: Bytes, pieces: AsyncIterator[bytes], on_progress: Callable[[int], None]) -> int:
        """Add pieces from `offset` on, which has to be where the file ends. Calls `on_progress` now and then with how
        many bytes are kept. Gives that at the end, too. What has been kept when the sender stops stays kept.
        """
        ...

    @raises(WrongChecksum, Superseded)
    async def finish(self, sha256: str) -> Stored:
        """Make it a complete file, if it has this checksum."""
        ...


class Files(Protocol):
    """A folder of files."""

    @raises(QuotaExceeded, OutsideFolder)
    async def upload(self, name: str, size: Bytes) -> Upload:
        """Begin to send a file, or go on with one that was cut off; `size` bytes are reserved for it."""
        ...

    @idempotent
    @raises(NoSuchFile, OutsideFolder)
    async def stat(self, name: str) -> Stored: ...

    @raises(NoSuchFile, OutsideFolder)
    async def download(self, name: str, offset: Bytes = 0) -> AsyncIterator[bytes]:
        """The bytes of a file from `offset` on, in pieces."""
        ...

    async def names(self) -> list[str]:
        """The complete files."""
        ...
