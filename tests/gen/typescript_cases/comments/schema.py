# Read from tests/gen/typescript_cases/comments/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""Talking, one to one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, Field
from typing_extensions import TypedDict, deprecated


class Room(Protocol):
    """A room that people talk in.

    See Message, or the site.
    """

    async def say(self, text: str, how_often: float | None = None) -> float:
        """Says something.

        Twice if need be:

            room.say("hello", 2)

        Args:
            text: What to say.
            how_often: How often.
                At least once.

        Returns:
            The number of listeners.
        """
        ...

    @deprecated("Use say.")
    async def shout(self, text: str) -> None: ...

    @property
    def size(self) -> float:
        """How many there are."""
        ...

    async def leave(self) -> None: ...


class Message(BaseModel):
    """What was said."""

    text: str
    """In words."""

    at: datetime = Field(deprecated="since it is always now")


@deprecated("Use Room.")
class Chat(Protocol):
    async def last(self) -> Message: ...

    async def next(self, *, count: float | None = None, exact: bool | None = None) -> NextResult:
        """Which to take."""
        ...


class NextResult(TypedDict, total=False):
    first: str
    """Of all."""


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=4be9e9aa3b Room=4bf38cf215 Message=bcd7952aaa Chat=9219795226 NextResult=35029d9859
