"""Peers: each serves this interface, and calls it of the others."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises


class Revoked(Exception):
    """Whoever gave this notebook has taken it back."""


class Gone(Exception):
    """Whoever this notebook belongs to cannot be reached any more."""


class NoSuchFriend(Exception):
    """The peer has not been introduced to anybody of that name."""


class Note(BaseModel):
    """Something that somebody has written."""

    author: str
    text: str


class Notebook(Protocol):
    """A notebook of one peer, for whoever holds it."""

    @raises(Revoked, Gone)
    async def write(self, note: Note) -> int:
        """Write a note, and say how many there are."""
        ...

    @raises(Revoked, Gone)
    async def notes(self) -> list[Note]: ...


class Peer(Protocol):
    """One end of a session. The other end is one, too."""

    async def name(self) -> str: ...

    async def sees(self) -> str:
        """The name of whoever is at the other end, for which that end is asked."""
        ...

    async def notebook(self) -> Notebook: ...

    async def meet(self, friend: str, notebook: Notebook) -> None:
        """Be introduced to somebody by their notebook."""
        ...

    async def friends(self) -> list[str]:
        """To whom this peer has been introduced, as far as it has not lost them."""
        ...

    @raises(Revoked, Gone, NoSuchFriend)
    async def write_to(self, friend: str, text: str) -> int:
        """Write into the notebook of a friend."""
        ...
