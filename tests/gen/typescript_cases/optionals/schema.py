# Read from tests/gen/typescript_cases/optionals/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/optionals/schema.ts declares."""

from __future__ import annotations

from typing import Any, NotRequired, Protocol

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict


class Profile(TypedDict):
    name: str
    nickname: NotRequired[str]
    motto: str | None


class Settings(BaseModel):
    theme: str | None = None
    extra: Any = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str


class Users(Protocol):
    async def get(self, id: float) -> Profile | None: ...
    async def find(self, name: str) -> Profile | None: ...
    async def maybe(self) -> str | None: ...
    async def change(self, id: float, changes: PartialProfile) -> None: ...
    async def settings(self, settings: Settings | None = None) -> Settings | None: ...
    async def page(self, first: float | None = None, last: float | None = None) -> list[Open]: ...


class PartialProfile(TypedDict, total=False):
    name: str
    nickname: str
    motto: str | None


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=eec642c5ce Profile=eb7b6e33c4 Settings=11d8e37d96 Open=d4f3aab8ab Users=6b44d32061
# capnweb-gen: PartialProfile=b6ca59b949
