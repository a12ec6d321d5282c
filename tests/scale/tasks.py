"""The example of a task queue under `make chaos`: two servers with one queue, and workers whose tasks take their time.

- kill at a task: kill -9 of a worker in the midst of a task, and another one in its place.
- stop at a task: SIGSTOP of such a one for longer than its lease lasts, then SIGCONT.
- kill task server: kill -9, and started again with the same file.

Rule: each task is completed, with its result. It is begun again only when its worker, the server of that, or the engine
had something done to it, and then once; also one that takes far longer than a lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import signal
import sqlite3
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from capnweb_runtime import Reconnect, connect
from examples.form.processes import READY, Program, tell
from examples.task_queue.generated.task_queue import TaskQueueStub
from examples.task_queue.schemas.task_queue import Mean
from tests.scale.fleet import Fleet
from tests.scale.harms import ENGINE, Harms
from tests.scale.schedule import Step
from tests.scale.subject import Subject
from tests.scale.subscriber import LOST, Broken
from tests.scale.workers import ROOT

LEASE = 2.0
"""Seconds that a worker has between two signs of life."""
LONG = 3 * LEASE
"""Seconds that the longest task takes."""
PAUSE = 0.3
"""Seconds between two tasks that are submitted: a little more than one takes."""
MIDST = 3.0
"""Seconds in which some worker is at a task."""
AFTERWARDS = 5.0
"""Seconds for which a server may yet be without the engine that has come back."""
PLACES = 2
"""Of servers, each with a worker."""


@dataclass(frozen=True)
class Begun:
    """A worker began a task.

    Attributes:
        task: which.
        process: of the worker.
        at: when, by the monotonic clock.
    """

    task: int
    process: int
    at: float


class Attempts:
    """What workers have noted: how often each task was begun, and whether it had to be.

    Parameters:
        harms: what was done to whom.
        places: where each worker was: the number of its server.
    """

    def __init__(self, harms: Harms, places: dict[int, int]) -> None:
        self._harms = harms
        self._places = places

    def without_cause(self, begun: Iterable[Begun]) -> list[str]:
        """Tasks that were begun again though nothing had been done to whoever was at them."""
        found = []
        by_task: defaultdict[int, list[Begun]] = defaultdict(list)
        for one in begun:
            by_task[one.task].append(one)
        for task, attempts in by_task.items():
            for before, after in itertools.pairwise(sorted(attempts, key=lambda one: one.at)):
                if not self._had_cause(before, after):
                    who, later = worker_of(before.process), f"{after.at - before.at:.2f} s"
                    found.append(f"task {task} was begun again {later} after {who} had, to which nothing was done")
        return found

    def _had_cause(self, before: Begun, after: Begun) -> bool:
        concerned = worker_of(before.process), server_at(self._places.get(before.process, -1))
        is_cut_off = self._harms.hit(before.at, after.at, *concerned)
        return is_cut_off or self._harms.hit(before.at - AFTERWARDS, after.at, ENGINE)


class Tasks(Subject):
    """See above.

    Parameters:
        fleet: what it uses.
        seed: of how long each task takes.
        longest: seconds that the longest one takes.
    """

    def __init__(self, fleet: Fleet, seed: int, longest: float) -> None:
        super().__init__(fleet)
        self.due: dict[int, float] = {}  # the result of each task
        self.places: dict[int, int] = {}
        self.steps = {
            "kill at a task": self.kill_worker,
            "stop at a task": self.stop_worker,
            "kill task server": self.kill_server,
        }
        self._chance = random.Random(seed)
        self._longest = longest
        self._folder = tempfile.TemporaryDirectory(prefix="tasks-", ignore_cleanup_errors=True)
        self._programs: list[Program] = []  # all that were started
        self._servers: list[Program] = []
        self._workers: list[Program] = []
        self._locks = [asyncio.Lock() for _ in range(PLACES)]
        self._submitting = True
        self._submitter: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._servers = list(await asyncio.gather(*(self.start_server() for _ in range(PLACES))))
        self._workers = list(await asyncio.gather(*map(self.start_worker, range(PLACES))))
        self._submitter = asyncio.create_task(self.submit())

    async def heal(self) -> None:
        """All that was submitted is done."""
        assert self._submitter is not None
        self._submitting = False
        await self._submitter
        async with connect(self._servers[0].url, TaskQueueStub, reconnect=Reconnect()) as queue:
            for finished in await asyncio.gather(*map(queue.finished, self.due)):
                if (finished.state, finished.result) != ("done", self.due[finished.task]):
                    self.broken.append(
                        f"task {finished.task} is {finished}, and {self.due[finished.task]} is its result"
                    )

    def left(self) -> list[str]:
        with closing(sqlite3.connect(self.file)) as database:
            states = database.execute("SELECT state, count(*) FROM tasks GROUP BY state").fetchall()
        ended = [program.url for program in self._servers + self._workers if program.process.returncode is not None]
        logged = self.errors.read_text("utf-8")[-4000:]
        return [f"of {len(self.due)} tasks there are in the end: {dict(states)}; {ended} have ended; logged: {logged}"]

    def judge(self) -> None:
        begun = self.noted("begin")
        self.counts.update({"tasks": len(self.due), "tasks begun again": len(begun) - len({one.task for one in begun})})
        self.broken += Attempts(self.harms, self.places).without_cause(begun)[:5]

    async def close(self) -> None:
        if self._submitter is not None:
            self._submitter.cancel()
            await asyncio.gather(self._submitter, return_exceptions=True)
        await super().close()
        for program in self._programs:
            await program.kill()
        self._folder.cleanup()

    # ---- who takes part

    @property
    def file(self) -> Path:
        return Path(self._folder.name, "tasks.sqlite")

    @property
    def errors(self) -> Path:
        """What servers and workers log."""
        return Path(self._folder.name, "errors.log")

    @property
    def log(self) -> Path:
        return Path(self._folder.name, "runs.log")

    async def start_server(self, port: int = 0) -> Program:
        options = ["--port", str(port), "--file", str(self.file), "--backplane", self.fleet.engine.server.url]
        options += ["--lease", str(LEASE), "--backoff", "0", "--attempts", "1000"]
        return await self._start("examples.task_queue.server", *options)

    async def start_worker(self, place: int) -> Program:
        worker = await self._start("tests.scale.task_worker", self._servers[place].url, "--log", str(self.log))
        self.places[worker.process.pid] = place
        return worker

    async def _start(self, module: str, *options: str) -> Program:
        """Not by `started`, which has whoever it started end, and throws away what was logged."""
        with self.errors.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, *options), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=errors
            )
        program = Program("", process)
        self._programs.append(program)
        said = await program.line()
        if not said.startswith(READY):
            raise Broken(f"{module} said {said!r}, and logged: {self.errors.read_text('utf-8')[-2000:]}")
        program.url = said.removeprefix(READY)
        return program

    async def submit(self) -> None:
        """One task after another, each until it is known to be submitted; the first one is the longest."""
        seconds = self._longest
        for number in itertools.count():
            for turn in itertools.count(number):
                with contextlib.suppress(*LOST):
                    async with connect(self._servers[turn % PLACES].url, TaskQueueStub) as queue:
                        self.due[await queue.submit(f"task {number}", Mean(numbers=[seconds]))] = seconds
                    break
                await asyncio.sleep(0.05)
            if not self._submitting:
                return
            seconds = round(self._chance.uniform(0.02, 2 * PAUSE), 3)
            await asyncio.sleep(PAUSE)

    def noted(self, what: str) -> list[Begun]:
        """What workers have noted of that kind."""
        lines = self.log.read_text("ascii").splitlines() if self.log.exists() else []
        found = (line.split() for line in lines)
        return [Begun(int(task), int(process), float(at)) for kind, task, process, at in found if kind == what]

    # ---- what happens

    async def at_a_task(self, otherwise: int) -> int:
        """The place of a worker that is in the midst of a task now, if there is one soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MIDST):
                while True:
                    ended = {(one.task, one.process) for one in self.noted("end")}
                    for place, worker in enumerate(self._workers):
                        begun = [one for one in self.noted("begin") if one.process == worker.process.pid]
                        if begun and (begun[-1].task, begun[-1].process) not in ended:
                            return place
                    await asyncio.sleep(0.01)
        return otherwise

    async def kill_worker(self, step: Step) -> None:
        place = await self.at_a_task(step.worker % PLACES)
        async with self._locks[place]:
            worker = self._workers[place]
            self.harms.killed(worker_of(worker.process.pid))
            await worker.kill()
            self._workers[place] = await self.start_worker(place)

    async def stop_worker(self, step: Step) -> None:
        place = await self.at_a_task(step.worker % PLACES)
        async with self._locks[place]:
            worker = self._workers[place]
            with self.harms.to(worker_of(worker.process.pid), f"stop for {step.seconds + LEASE:.2f} s"):
                tell(worker.process, signal.SIGSTOP)
                await asyncio.sleep(step.seconds + LEASE)
                tell(worker.process, signal.SIGCONT)

    async def kill_server(self, step: Step) -> None:
        place = step.worker % PLACES
        async with self._locks[place]:
            server = self._servers[place]
            with self.harms.to(server_at(place), "kill"):
                await server.kill()
                async with self.fleet.engine_lock:  # it does not start where no engine is
                    self._servers[place] = await self.start_server(server.port)


def worker_of(process: int) -> str:
    return f"task worker {process}"


def server_at(place: int) -> str:
    return f"task server {place}"
