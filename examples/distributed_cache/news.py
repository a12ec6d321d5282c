"""What nodes tell each other, on one topic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

NEWS = "news"
"""The topic."""


class Dropped(BaseModel):
    """The value of a key has changed."""

    kind: Literal["dropped"] = "dropped"
    key: str


class Landed(BaseModel):
    """What came of a load; neither value nor error for a value that is too large to be told.

    Attributes:
        began: cursor up to which its loader had read when it began.
    """

    kind: Literal["landed"] = "landed"
    key: str
    began: str
    value: str | None = None
    error: str | None = None


ITEM: TypeAdapter[Dropped | Landed] = TypeAdapter(Annotated[Dropped | Landed, Field(discriminator="kind")])
