# Read from tests/gen/typescript_cases/parameters/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/parameters/schema.ts declares."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class Search(Protocol):
    async def find(self, query: str, limit: float | None = None, *tags: str) -> list[str]: ...
    async def options(self, query: str, *, exact: bool, locale: str | None = None) -> None: ...
    async def optional(self, query: str, *, exact: bool | None = None) -> None: ...
    async def either(self, query: str, options: EitherOptions | None = None) -> None: ...
    async def last(self, input: EitherOptions) -> None: ...
    async def many(self, first: str | None, second: float) -> None: ...
    async def nothing(self) -> None: ...


class EitherOptions(BaseModel):
    exact: bool


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=0b175c8081 Search=7df3b282ed EitherOptions=6c373a1345
