# Read from tests/gen/typescript_cases/capabilities/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/capabilities/schema.ts declares."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import Stub


class Library(Protocol):
    async def borrow(self, title: str) -> Loan: ...
    async def find(self, title: str) -> Loan | None: ...
    async def shelf(self) -> list[Loan]: ...
    async def follow(self, watcher: Watcher) -> Stub: ...
    async def anything(self) -> Stub: ...
    async def back(self, loan: Loan, reader: Reader) -> None: ...

    @property
    def desk(self) -> Desk: ...


class Loan(Protocol):
    @property
    def title(self) -> str: ...

    async def reader(self) -> Reader: ...


class Watcher(Protocol):
    async def returned(self, title: str) -> None: ...


class Desk(Protocol):
    @property
    def open(self) -> bool: ...


class Reader(BaseModel):
    id: float
    name: str
    born: datetime


class Main(Protocol):
    """Nothing names it, and its members are capabilities: it is what a session begins with."""

    @property
    def library(self) -> Library: ...

    async def watch(self, title: str) -> None: ...


class Empty(Protocol):
    pass


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=bd50e5812c Library=67d3246ed5 Loan=ca6a966fe2 Watcher=8998752985 Desk=701426ccbb Reader=e37fe0bdd7
# capnweb-gen: Main=3b0192f370 Empty=7c7cb8653e
