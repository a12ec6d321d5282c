# Read from tests/gen/typescript_cases/utilities/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/utilities/schema.ts declares."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, Protocol

from pydantic import BaseModel
from typing_extensions import TypedDict

Stage = Literal["todo", "doing", "done"]
Open = Literal["todo", "doing"]


class Task(TypedDict):
    id: str
    title: str
    done: bool
    due: NotRequired[datetime]


class NewTask(TypedDict):
    title: str
    due: NotRequired[datetime]


class TaskRef(BaseModel):
    id: str


class Full(BaseModel):
    id: str
    title: str
    done: bool
    due: datetime


class Counts(BaseModel):
    todo: float
    doing: float
    done: float


class Copy(TypedDict):
    id: str
    title: str
    done: bool
    due: NotRequired[datetime]


class Flags(TypedDict, total=False):
    todo: bool
    doing: bool
    done: bool


class Board(Protocol):
    async def add(self, task: NewTask) -> TaskRef: ...
    async def change(self, id: str, changes: ChangeChanges) -> Full: ...
    async def counts(self) -> Counts: ...
    async def copy(self, task: Copy, frozen: Task) -> Task: ...
    async def flags(self, flags: Flags, open: Open, key: Literal["id", "title", "done", "due"]) -> None: ...
    async def limit(self, limit: Literal[1, 9], name: Literal["ada", "bob"]) -> str: ...
    async def partial(self, some: dict[Stage, str]) -> None: ...
    async def list(self, tasks: tuple[Task, ...], texts: tuple[str, ...]) -> tuple[str, float]: ...


class ChangeChanges(TypedDict, total=False):
    title: str
    done: bool
    due: datetime


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=9022a00be1 Stage=9edffe8100 Open=74ca07d83e Task=cdaa0fc7f0 NewTask=83aa384059 TaskRef=2529e282c2
# capnweb-gen: Full=0eeada5be3 Counts=b4106866d5 Copy=aa7ac27d8e Flags=fd73233d2e Board=fb122a516f
# capnweb-gen: ChangeChanges=5f98329b1b
