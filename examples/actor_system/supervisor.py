"""Starts workers and their actors, again and again, and gives up in time.

Rule: workers that are started together end together. With `one-for-one` each is on its own, with `one-for-all` they all
belong together. Either way there is one bound on all restarts, and passing it is for whoever runs the supervisor.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from capnweb_runtime import connect
from examples.actor_system.generated.actor_system import AccountStub, WorkerStub
from examples.actor_system.schemas.actor_system import Place
from examples.form.processes import Program, started

Strategy = Literal["one-for-one", "one-for-all"]


class Escalated(Exception):
    """There were more restarts than are allowed."""


class Bound:
    """How many restarts there may be within a time.

    Parameters:
        restarts: so many.
        within: seconds.
        clock: what tells the time, in seconds.
    """

    def __init__(self, restarts: int, within: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._restarts, self._within, self._clock = restarts, within, clock
        self._times: deque[float] = deque()

    def restart(self) -> None:
        """Count one more. Raises Escalated if it is one too many."""
        now = self._clock()
        while self._times and self._times[0] <= now - self._within:
            self._times.popleft()
        if len(self._times) >= self._restarts:
            raise Escalated(f"more than {self._restarts} restarts within {self._within:g} s")
        self._times.append(now)


@dataclass
class Slot:
    """An actor as it runs now.

    Attributes:
        journal: file of what it remembers; None if it remembers nothing.
        account: the actor; None while it does not run.
        runs: is set while it does.
    """

    journal: Path | None
    account: AccountStub | None = None
    runs: asyncio.Event = field(default_factory=asyncio.Event)

    async def current(self) -> AccountStub:
        """The actor, once it runs."""
        while self.account is None:
            await self.runs.wait()
        return self.account

    def begin(self, account: AccountStub) -> None:
        """It runs."""
        self.account = account
        self.runs.set()

    def end(self) -> None:
        """It does not run any more."""
        self.account = None
        self.runs.clear()


class Supervisor:
    """Runs workers as processes, and actors in them.

    Parameters:
        placed: for each worker its actors, by name.
        strategy: which workers are started again when one has died: that one, or all of them.
        bound: how often.
    """

    def __init__(self, placed: Mapping[str, Mapping[str, Slot]], strategy: Strategy, bound: Bound) -> None:
        self._placed, self._bound = placed, bound
        self._groups = [[name] for name in placed] if strategy == "one-for-one" else [list(placed)]
        self._programs: dict[str, Program] = {}
        self._starts = dict.fromkeys(placed, 0)
        self.actors = {name: slot for actors in placed.values() for name, slot in actors.items()}

    async def run(self) -> None:
        """Supervise for ever. Raises Escalated when the bound is passed; then nothing runs any more."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for group in self._groups:
                    tasks.create_task(self._again_and_again(group))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def places(self) -> list[Place]:
        """Where the workers run, once all do."""
        for slot in self.actors.values():
            await slot.current()
        return [
            Place(worker=name, pid=self._programs[name].process.pid, starts=self._starts[name], actors=list(actors))
            for name, actors in self._placed.items()
        ]

    async def _again_and_again(self, group: Sequence[str]) -> None:
        while True:
            await self._once(group)
            self._bound.restart()

    async def _once(self, group: Sequence[str]) -> None:
        """Run some workers until one of them dies, and end the others."""
        died = asyncio.Event()

        def end(error: BaseException) -> None:
            """From now on, whoever asks their actors waits."""
            for slot in [slot for name in group for slot in self._placed[name].values()]:
                slot.end()
            died.set()

        async with AsyncExitStack() as stack:
            for name in group:
                worker = await self._started(name, stack)
                worker.on_broken(end)
                for actor, slot in self._placed[name].items():
                    slot.begin(await worker.start(actor, None if slot.journal is None else str(slot.journal)))
            await died.wait()

    async def _started(self, name: str, stack: AsyncExitStack) -> WorkerStub:
        """A new process for a worker, and a session with it. When it is lost, so is the process, whatever it does."""
        program = await stack.enter_async_context(started("examples.actor_system.worker"))
        self._programs[name] = program
        self._starts[name] += 1
        return await stack.enter_async_context(connect(program.url, WorkerStub))
