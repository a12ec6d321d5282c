"""A peer: what it keeps, and how it looks from the other end of a session.

Rule: a `Node` is there once, and has a `Face` in each session. What came from a peer is forgotten once it breaks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from capnweb_runtime import SessionClosed, connect
from examples.peer_to_peer.generated.peer_to_peer import (
    NotebookStub,
    NotebookTarget,
    PeerStub,
    PeerTarget,
)
from examples.peer_to_peer.schemas.peer_to_peer import Gone, NoSuchFriend, Note, Revoked

T = TypeVar("T")


class Notebook(NotebookTarget):
    """The notes of one peer."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def write(self, note: Note) -> int:
        self._notes.append(note)
        return len(self._notes)

    def notes(self) -> list[Note]:
        return self._notes


class Loan(NotebookTarget):
    """Somebody's notebook, lent to a third party until it is taken back.

    Parameters:
        notebook: the notebook, which is this one's to give up.
    """

    def __init__(self, notebook: NotebookStub) -> None:
        self._notebook: NotebookStub | None = notebook

    async def write(self, note: Note) -> int:
        return await self._of_owner(self._lent().write(note))

    async def notes(self) -> list[Note]:
        return await self._of_owner(self._lent().notes())

    def take_back(self) -> None:
        """Whoever holds it, or has passed it on, cannot use it any more."""
        notebook, self._notebook = self._notebook, None
        if notebook is not None:
            notebook.dispose()

    def dispose(self) -> None:
        """Nobody holds it any more."""
        self.take_back()

    def _lent(self) -> NotebookStub:
        if self._notebook is None:
            raise Revoked("this notebook has been taken back")
        return self._notebook

    async def _of_owner(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except SessionClosed:
            raise Gone("whoever this notebook belongs to is gone") from None


class Node:
    """What a peer has and knows.

    Attributes:
        name: its name.
        notebook: its own.
        friends: notebooks of others, by name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.notebook = Notebook()
        self.friends: dict[str, NotebookStub] = {}

    def meet(self, friend: str, notebook: NotebookStub) -> None:
        """Keep a notebook for as long as it can be used."""
        self.forget(friend)
        self.friends[friend] = notebook
        notebook.on_broken(lambda error: self.forget(friend, notebook))

    def forget(self, friend: str, lost: NotebookStub | None = None) -> None:
        """Give a notebook up, if there is one; where it was lost, only if it has not been followed by another."""
        notebook = self.friends.get(friend)
        if notebook is not None and lost in (None, notebook):
            del self.friends[friend]
            notebook.dispose()


class Face(PeerTarget):
    """A peer, as it looks in one session.

    Attributes:
        other: the other end of the session; None until it is known.
    """

    def __init__(self, node: Node, other: PeerStub | None = None) -> None:
        self._node = node
        self.other = other

    def name(self) -> str:
        return self._node.name

    async def sees(self) -> str:
        return "nobody" if self.other is None else await self.other.name()

    def notebook(self) -> Notebook:
        return self._node.notebook

    def meet(self, friend: str, notebook: NotebookStub) -> None:
        self._node.meet(friend, notebook.dup())  # what came as an argument ends with the call

    def friends(self) -> list[str]:
        return sorted(self._node.friends)

    async def write_to(self, friend: str, text: str) -> int:
        if friend not in self._node.friends:
            raise NoSuchFriend(f"{self._node.name} knows no {friend}")
        return await self._node.friends[friend].write(Note(author=self._node.name, text=text))


@asynccontextmanager
async def joined(node: Node, url: str, keepalive: float = 20.0) -> AsyncGenerator[PeerStub]:
    """A session with a peer that listens, in which the node is a peer as well.

    Parameters:
        node: who joins.
        url: of the peer that listens.
        keepalive: seconds of silence after which the other end is asked for a sign of life.
    """
    face = Face(node)
    async with connect(url, PeerStub, main=face, keepalive=keepalive) as other:
        face.other = other
        yield other
