"""A game: what a player may do, and what the server shows to each."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import raises

Name = Annotated[str, MinLen(1), MaxLen(32)]
Direction = Literal["north", "east", "south", "west"]


class Player(BaseModel):
    """Where somebody is, and how many coins they have taken."""

    id: int
    name: str
    x: int
    y: int
    score: int = 0


class Full(BaseModel):
    """All of the state after a tick."""

    kind: Literal["full"] = "full"
    tick: int
    width: int
    height: int
    players: list[Player]
    coins: list[tuple[int, int]]


class Delta(BaseModel):
    """What a tick has changed, in absolute values: the state of the tick before becomes that of this one.

    Attributes:
        moved: id, x, y, score.
        went: ids.
        taken: coins that are there no more.
        fresh: new coins.
    """

    kind: Literal["delta"] = "delta"
    tick: int
    came: list[Player] = []
    moved: list[tuple[int, int, int, int]] = []
    went: list[int] = []
    taken: list[tuple[int, int]] = []
    fresh: list[tuple[int, int]] = []


class Stats(BaseModel):
    """How the server is doing.

    Attributes:
        queued_bytes: that wait for clients who do not read.
        imports: objects of clients that the server holds, a main for each session among them, and calls without answer.
        exports: objects of the server that clients hold, likewise.
        deltas: that were sent since the start.
        fulls: full states, likewise.
        skipped: deltas that were not sent, since too many were on their way.
    """

    tick: int
    players: int
    sessions: int
    queued_bytes: int
    imports: int
    exports: int
    deltas: int
    fulls: int
    skipped: int


class IllegalMove(Exception):
    """The rules do not allow it; nothing has changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class GameFull(Exception):
    """There is no room on the board."""

    def __init__(self, players: int) -> None:
        super().__init__(f"there are {players} players, as many as there may be")


class Screen(Protocol):
    """What a client hands over, to be shown the state."""

    async def show(self, update: Full | Delta) -> None:
        """Take an update. The answer tells the server that there is room for another."""
        ...


class Figure(Protocol):
    """A figure on the board. Whoever lets go of it has left the game."""

    @property
    def id(self) -> int: ...

    @raises(IllegalMove)
    async def move(self, direction: Direction) -> None:
        """Take one step, once a tick."""
        ...


class Game(Protocol):
    """What anyone may do."""

    @raises(GameFull)
    async def join(self, name: Name, screen: Screen) -> Figure:
        """Play. The screen is shown a full state, and from then on a delta for each tick."""
        ...

    async def stats(self) -> Stats: ...
