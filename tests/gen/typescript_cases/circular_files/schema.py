# Read from tests/gen/typescript_cases/circular_files/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/circular_files/schema.ts declares."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class Post(BaseModel):
    text: str
    replies: list[Reply]


class Forum(Protocol):
    async def posts(self) -> list[Post]: ...


class Reply(BaseModel):
    to: Post
    text: str


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=93f6978ab0 Post=7844d23990 Forum=dea9db0b36 Reply=caf6b74384
