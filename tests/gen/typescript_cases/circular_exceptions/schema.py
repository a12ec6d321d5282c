# Read from tests/gen/typescript_cases/circular_exceptions/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""A file that another one needs, of which it needs an exception and an enum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises


class Colour(StrEnum):
    Red = "red"


@dataclass
class Gone(Exception):
    message: str
    book: Book


class Book(BaseModel):
    title: str


class Library(Protocol):
    @raises(Gone)
    async def get(self, colour: Colour) -> Book: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=7fbbbf5747 Colour=dc21ce24c7 Gone=7fe16f6dfb Book=a5a30edd03 Library=60290a2c1f
