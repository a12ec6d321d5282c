"""A queue of tasks: some submit them, workers take them under a lease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Generic, Literal, Protocol, TypeVar

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import cancellable, idempotent, raises

L = TypeVar("L", covariant=True)


class CountWords(BaseModel):
    kind: Literal["count_words"] = "count_words"
    text: Annotated[str, MaxLen(10_000)]


class Mean(BaseModel):
    kind: Literal["mean"] = "mean"
    numbers: list[float]


class Finished(BaseModel):
    """What became of a task: it is done, with a result, or dead, with a reason."""

    task: int
    state: Literal["done", "dead"]
    attempts: int
    result: float | None = None
    error: str | None = None


class Leased(BaseModel, Generic[L]):
    """A task, and the right to complete it. The right ends `seconds` after it was last renewed."""

    task: int
    attempt: int
    job: CountWords | Mean
    seconds: float
    lease: L


class Stats(BaseModel):
    """How many tasks wait, are with a worker, are done and are dead; and how many callbacks have not been answered."""

    queued: int
    running: int
    done: int
    dead: int
    telling: int


class LeaseLost(Exception):
    """The task is somebody else's by now."""

    task: int

    def __init__(self, task: int) -> None:
        super().__init__(f"the lease of task {task} was lost: the task is somebody else's, or finished")
        self.task = task


class Draining(Exception):
    """No new tasks are taken."""


class UnknownTask(Exception):
    """There is no such task."""


class Lease(Protocol):
    """The right to complete a task. Whoever drops it, or dies, gives the task back."""

    @idempotent
    @raises(LeaseLost)
    async def renew(self) -> None:
        """Says that the worker is alive and at it."""
        ...

    @raises(LeaseLost)
    async def complete(self, result: float) -> None:
        """The task is done."""
        ...

    @raises(LeaseLost)
    async def fail(self, reason: Annotated[str, MaxLen(1000)]) -> None:
        """The attempt has failed: there will be another, or the task is dead."""
        ...


class TaskQueue(Protocol):
    """What submitters, workers and operators call."""

    @idempotent
    @raises(Draining)
    async def submit(
        self,
        key: Annotated[str, MinLen(1), MaxLen(64)],
        job: CountWords | Mean,
        on_finished: Callable[[Finished], None] | None = None,
    ) -> int:
        """Adds a task, once for each key, and gives its number. `on_finished` is told what became of it."""
        ...

    @idempotent
    @cancellable
    @raises(UnknownTask)
    async def finished(self, task: int) -> Finished:
        """Waits until a task is done or dead."""
        ...

    @cancellable
    async def take(self) -> Leased[Lease] | None:
        """Waits for a task; None means that there will be none, and that the worker may go.

        It is not `@idempotent`: what it gives again is another task, and its lease would stand for the one that was
        lost. Whoever has lost the answer takes again: a lease that nobody holds gives its task back.
        """
        ...

    @idempotent
    async def stats(self) -> Stats: ...

    @idempotent
    async def dead_letters(self) -> list[Finished]: ...

    @idempotent
    @cancellable
    async def drain(self) -> Stats:
        """Takes no new tasks, and waits until all are finished and everybody has been told."""
        ...
