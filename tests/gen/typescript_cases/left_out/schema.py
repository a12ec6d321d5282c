# Read from tests/gen/typescript_cases/left_out/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/left_out/schema.ts declares."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class Api(Protocol):
    async def run(self) -> Answer: ...


class Answer(BaseModel):
    text: str


class Extra(BaseModel):
    """Nobody names it, and it can be read: it is written too."""

    count: float


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=23b56d337f Api=d9169426cd Answer=02b99cd165 Extra=70e7ddd1ab
