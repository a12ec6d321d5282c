# Read from tests/gen/typescript_cases/recursive/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/recursive/schema.ts declares."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, JsonValue


class Tree(BaseModel):
    value: JsonValue
    children: list[Tree]
    parent: Tree | None


class Forest(Protocol):
    async def plant(self, tree: Tree) -> Forest: ...
    async def any(self, value: JsonValue) -> None: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=42f96e1fc9 Tree=b0bf5c9c53 Forest=6035dedf7b
