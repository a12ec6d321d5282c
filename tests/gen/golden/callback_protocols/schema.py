"""Functions that are declared as Protocols, with the parameters of methods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel
from typing_extensions import deprecated

from capnweb_runtime.schema import Capability, Writable, raises

WIRE_CASE = "camel"

T = TypeVar("T")
U = TypeVar("U", covariant=True)
V = TypeVar("V", contravariant=True)


class Item(BaseModel):
    name: str


class Full(Exception):
    """There is no room."""


class Source(Protocol):
    async def next(self) -> Item: ...


class OnItem(Protocol):
    """Told of an item."""

    async def __call__(self, item: Item, count: int = 1, *, urgent: bool = False, sent_by: str | None = None) -> bool:
        """Say whether more may come."""
        ...


class Keep(Protocol):
    def __call__(self, item: Item) -> bool: ...


class Plain(Protocol):
    def __call__(self, item: Item, /) -> bool: ...


class Judge(Protocol):
    def __call__(self, first: Item, second: Item | None = None, /, weight: float = 1.0) -> float: ...


class Sum(Protocol):
    async def __call__(self, start: int, *numbers: int) -> int: ...


class OnBatch(Protocol):
    def __call__(self, *items: Item, is_last: bool) -> None: ...


class Visit(Protocol):
    """Visits itself."""

    def __call__(self, depth: int, again: Visit | None = None) -> Visit | None: ...


class Copy(Protocol):
    def __call__(
        self, source: Source, chunks: AsyncIterator[bytes], *, into: Writable[bytes], on_item: OnItem | None = None
    ) -> AsyncIterator[int]: ...


class Put(Protocol):
    @raises(Full)
    def __call__(self, item: Item, /) -> Awaitable[Source]: ...


@deprecated("use Put")
class Push(Protocol):
    @deprecated("use Put instead")
    def __call__(self, item: Item) -> None: ...


class Reply(Protocol[T]):
    """Answers with a value."""

    async def __call__(self, value: T, *, late: bool = False) -> T: ...


class Handler(Protocol[V]):
    def __call__(self, value: V, /) -> None: ...


class Job(BaseModel):
    on_item: Capability[OnItem]
    others: list[Capability[OnItem]] = []


@dataclass
class Task:
    on_done: Reply[int]
    keep: Keep | None = None


class Box(BaseModel, Generic[U]):
    content: U


class Queue(Protocol):
    @property
    def on_item(self) -> OnItem: ...

    async def watch(self, on_item: OnItem, others: list[OnItem], fallback: OnItem | None = None) -> OnItem | None: ...
    async def keep(self, keep: Keep, plain: Plain) -> dict[str, Keep]: ...
    async def judge(self, judge: Judge, total: Sum, on_batch: OnBatch) -> Sum: ...
    async def visit(self, visit: Visit) -> Visit: ...
    async def copy(self, copy: Copy) -> Copy: ...
    async def put(self, put: Put, push: Push) -> Put: ...
    async def reply(self, number: Reply[int], source: Reply[Source], on: Handler[Item]) -> Reply[Source]: ...
    async def each(self, make: Callable[[OnItem], OnItem]) -> list[OnItem]: ...
    async def job(self, job: Job) -> Job: ...
    async def task(self, task: Task) -> Task: ...
    async def box(self, box: Box[OnItem]) -> Box[OnItem]: ...
    def feed(self, number: int) -> AsyncIterator[OnItem]: ...
