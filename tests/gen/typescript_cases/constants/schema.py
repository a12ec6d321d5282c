# Read from tests/gen/typescript_cases/constants/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/constants/schema.ts declares."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, Field


class Level(IntEnum):
    """How urgent something is."""

    Low = 1
    Middle = 2
    High = 16


class Word(StrEnum):
    Yes = "yes"
    No = "no"


class Colour(StrEnum):
    Red = "red"
    Blue = "blue"


Phase = Literal["new", "old"]
Version = Annotated[
    str, Field(pattern=r"^v-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)\.-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)$")
]
Key = Annotated[str, Field(pattern=r"^(?:new|old)\-[\s\S]*$")]


class Settings(BaseModel):
    level: Level
    word: Word
    colour: Colour
    phase: Phase
    version: Version
    one: Literal[1]
    minus: Literal[-1]
    yes: Literal[True]
    mixed: Literal["a", 2, False]


class Config(Protocol):
    async def get(self) -> Settings: ...
    async def level(self, level: Literal[Level.Low, Level.High], key: Key) -> Literal[Word.Yes]: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=29bc5e5ff3 Level=ada83c1bec Word=248633abcd Colour=6a155e7c00 Phase=7d5f2c866a Version=445a8986eb
# capnweb-gen: Key=d06da3c0c9 Settings=9187de9a5b Config=ef6bc6c411
