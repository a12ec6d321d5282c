"""Objects with one owner under `make chaos`, in workers of `python -m capnweb_runtime serve --workers 2`: clients add
lines to rooms, through whichever worker they come to, and others come for one question.

- kill room's owner: kill -9 of the worker where the room is; another follows it.
- stop room's owner: SIGSTOP of it for longer than its lease lasts, then SIGCONT.
- rolling restart: SIGHUP, so that every worker is followed by another one.

Rule: a line that was answered is in its room, once, and in its order; an owner that was killed is followed within twice
its time; and nobody is refused because of a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capnweb_runtime import connect, deadline
from tests.placed.generated.rooms import FrontStub
from tests.scale.fleet import Fleet
from tests.scale.fronts import TTL
from tests.scale.harms import ENGINE, MACHINE
from tests.scale.schedule import Step
from tests.scale.subject import Subject
from tests.scale.subscriber import LOST, Broken
from tests.scale.workers import ROOT, START

ROOMS = ("x", "y", "z")
WORKERS = 2
ADDING, COMING = 3, 2
"""Clients that add lines, and that come for one question."""
PAUSE = 0.03
"""Seconds between two lines of a client."""
SLACK = 3.0
"""Seconds that a busy machine may take in addition."""
AFTERWARDS = 6.0
"""Seconds for which workers may yet be without the engine that has come back, or without one that is still starting."""
NOTICED = 2.0
"""Seconds within which it is noticed that a worker was killed: whom the system gives to it until then, is cut off."""
PATIENCE = 60.0
"""Seconds for an answer to one question, with whatever happens meanwhile."""
SERVED = "the served workers"


@dataclass(frozen=True)
class Added:
    """A line that was answered to be in a room.

    Attributes:
        room: which.
        text: of the line.
        client: who added it, one after the other.
        begin: when it was sent.
        lines: how many there were then.
    """

    room: str
    text: str
    client: int
    begin: float
    lines: int


def wrong_in(room: str, lines: Sequence[str], added: Sequence[Added]) -> list[str]:
    """What is not as promised in a room, of which those lines were answered that have to be there, in their order."""
    found = [f"{text!r} is more than once in the room {room}" for text in {*lines} if lines.count(text) > 1]
    places = {text: place for place, text in reversed([*enumerate(lines)])}
    last: dict[int, int] = {}
    for one in added:
        place = places.get(one.text)
        if place is None or place >= one.lines:
            found.append(f"{one.text!r} is not among the first {one.lines} lines of the room {room}")
        elif place < last.get(one.client, -1):
            found.append(f"{one.text!r} is in the room {room} before what was added first")
        else:
            last[one.client] = place
    return found


class Placement(Subject):
    """See above.

    Parameters:
        fleet: what it uses.
        seed: of where lines are added.
        restart_once_more: whether all workers are restarted in the end, when nothing else happens.
    """

    def __init__(self, fleet: Fleet, seed: int, *, restart_once_more: bool) -> None:
        super().__init__(fleet)
        self.url = ""
        self.added: list[Added] = []
        self.steps = {
            "kill room's owner": self.kill_owner,
            "stop room's owner": self.stop_owner,
            "rolling restart": self.restart,
        }
        self._chance = random.Random(seed)
        self._restart_once_more = restart_once_more
        self._adding = True
        self._adders: list[asyncio.Task[None]] = []
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed in `close`)
        self._process: asyncio.subprocess.Process | None = None
        self._stopped: set[int] = set()

    async def begin(self) -> None:
        options = ["--workers", str(WORKERS), "--port", "0", "--drain", "5", "--log-level", "info"]
        options += ["--backplane", self.fleet.engine.server.url, "--backplane-name", self.fleet.engine.name]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "capnweb_runtime", "serve", "tests.scale.fronts:fronts", *options),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(START):
            said = (await self._process.stdout.readline()).decode()
        assert said.startswith("serving "), f"`serve` said {said!r}, and logged: {self.logged()}"
        self.url = said.split()[1]
        self._adders = [asyncio.create_task(self.add(client)) for client in range(ADDING)]
        for _ in range(COMING):
            self.goes_on(self.come())

    async def heal(self) -> None:
        """Every room answers; and workers are restarted once more, of which nobody notices anything."""
        if self._restart_once_more:
            await self.restarted_by_others()
        self._adding = False
        await asyncio.gather(*self._adders)
        for room in ROOMS:
            lines = await self.lines(room)
            added = [one for one in self.added if one.room == room and one.begin > self.fleet.forgot]
            self.broken += wrong_in(room, lines, added)[:3]

    def left(self) -> list[str]:
        return [f"rooms do not answer in the end; what `serve` logged last: {self.logged()[-2000:]}"]

    def judge(self) -> None:
        self.counts["lines added"] = len(self.added)

    async def close(self) -> None:
        for task in self._adders:
            task.cancel()
        await asyncio.gather(*self._adders, return_exceptions=True)
        await super().close()
        if self._process is not None and self._process.returncode is None:
            processes = self.processes()
            self._process.kill()  # before its workers, since it would have others follow
            await self._process.wait()
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        self._log.close()

    def logged(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    # ---- who takes part

    async def add(self, client: int) -> None:
        """Adds one line after another, each once, at whichever worker it comes to."""
        number = 0
        while self._adding:
            with contextlib.suppress(*LOST):
                async with connect(self.url, FrontStub, keepalive=TTL, close_timeout=0.5) as front:
                    while self._adding:
                        name, number = self._chance.choice(ROOMS), number + 1
                        text, begin = f"{client}-{number}", time.monotonic()
                        with deadline(2 * TTL), await front.room(name) as room:
                            lines = await room.add(text)
                        self.added.append(Added(name, text, client, begin, lines))
                        await asyncio.sleep(PAUSE)
            await asyncio.sleep(PAUSE)

    async def come(self) -> None:
        """Connects for one question, again and again: that fails only if something was done to a worker meanwhile."""
        while True:
            begin = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE), connect(self.url, FrontStub, close_timeout=0.5) as front:
                    await front.worker()
                    self.counts["newcomers"] += 1
            except LOST as error:
                if not self.harms.hit(begin - NOTICED, time.monotonic(), SERVED):
                    raise Broken(f"a newcomer was refused, and nothing had been done to a worker: {error!r}") from error
            await asyncio.sleep(PAUSE)

    async def lines(self, room: str) -> list[str]:
        """All of a room, asked for until they are told."""
        while True:
            with contextlib.suppress(*LOST):
                async with connect(self.url, FrontStub, keepalive=TTL, close_timeout=0.5) as front:
                    with deadline(2 * TTL), await front.room(room) as found:
                        return [line.text for line in await found.lines()]
            await asyncio.sleep(PAUSE)

    async def owner(self, room: str) -> int:
        """The process where a room is, asked for until it is told."""
        while True:
            with contextlib.suppress(*LOST):
                async with connect(self.url, FrontStub, keepalive=TTL, close_timeout=0.5) as front:
                    with deadline(2 * TTL), await front.room(room) as found:
                        return int(await found.worker())
            await asyncio.sleep(PAUSE)

    def processes(self) -> list[int]:
        """Those that serve, begin to, or leave."""
        assert self._process is not None
        number = self._process.pid
        return [int(one) for one in Path(f"/proc/{number}/task/{number}/children").read_text("ascii").split()]

    # ---- what happens

    async def kill_owner(self, step: Step) -> None:
        room = ROOMS[step.worker % len(ROOMS)]
        process = await self.owner(room)
        if process not in self.processes():
            return  # it has just ended
        with self.harms.to(SERVED, f"kill {process}, where the room {room} is, of") as killed:
            os.kill(process, signal.SIGKILL)
            while await self.owner(room) == process:  # noqa: ASYNC110  (of what there is no event for)
                await asyncio.sleep(PAUSE)
        took = killed.end - killed.begin
        others = self.harms.of(SERVED, ENGINE, MACHINE)
        if took > 2 * TTL + SLACK and all(one is killed or one.end < killed.begin - AFTERWARDS for one in others):
            raise Broken(f"the owner of a room was followed {took:.2f} s after it was killed, and {2 * TTL} are due")

    async def stop_owner(self, step: Step) -> None:
        process = await self.owner(ROOMS[step.worker % len(ROOMS)])
        if process in self._stopped or process not in self.processes():
            return
        self._stopped.add(process)
        with self.harms.to(SERVED, f"stop {process} for {TTL + step.seconds:.2f} s, of"):
            os.kill(process, signal.SIGSTOP)
            await asyncio.sleep(TTL + step.seconds)
            if process in self.processes():
                os.kill(process, signal.SIGCONT)
        self._stopped.discard(process)

    async def restart(self, step: Step) -> None:
        assert self._process is not None
        self.harms.note("restart the served workers, one after the other")
        self._process.send_signal(signal.SIGHUP)

    async def restarted_by_others(self) -> None:
        """All processes that there are now are followed by others."""
        assert self._process is not None
        old = {*self.processes()}
        self.harms.note("restart the served workers, one after the other, once more")
        self._process.send_signal(signal.SIGHUP)
        while old & {*self.processes()} or len(self.processes()) < WORKERS:  # noqa: ASYNC110  (as above)
            await asyncio.sleep(0.05)
