# Read from tests/gen/typescript_cases/namespaces/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/namespaces/schema.ts declares."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel


class Parts(StrEnum):
    One = "one"
    Two = "two"


class ApiUser(BaseModel):
    name: str


class ApiAdminPanel(Protocol):
    async def user(self, name: str) -> ApiUser | None: ...


class Merged(Protocol):
    async def first(self) -> None: ...
    async def second(self, user: ApiUser) -> ApiAdminPanel: ...


class Uses(Merged, Protocol):
    async def parts(self) -> Parts: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=09eef52abc Parts=e03b9cf673 ApiUser=9b9d7231d0 ApiAdminPanel=fd895348f7 Merged=8a19c3b2cc
# capnweb-gen: Uses=ed2d151c36
