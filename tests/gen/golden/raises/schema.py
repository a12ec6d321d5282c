"""Exceptions that methods declare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises, wire_name


class Profile(BaseModel):
    id: int
    name: str


class NotFound(Exception):
    """There is no such user."""


@dataclass
class QuotaExceeded(Exception):
    """Too much was asked for.

    It may be asked for again later.
    """

    message: str
    limit: int
    until: datetime | None = None
    spent_on: list[Profile] = field(default_factory=list)
    unit: ClassVar[str] = "calls"


@wire_name("StorageFailure")
class StorageError(OSError):
    disk: str
    retried: bool = False


class Directory(Protocol):
    """Who is there."""

    @raises(NotFound, QuotaExceeded)
    def find(self, user_id: int) -> Profile:
        """The profile of a user."""

    @raises(StorageError, PermissionError)
    def store(self, profile: Profile) -> Directory: ...

    @property
    @raises(NotFound)
    def owner(self) -> Profile: ...

    @raises(NotFound)
    def download(self, user_id: int) -> AsyncIterator[bytes]:
        """A file.

        Raises:
            NotFound: there is none.
        """

    def names(self, profile: Profile) -> list[str]: ...

    def ids(self) -> list[int]: ...
