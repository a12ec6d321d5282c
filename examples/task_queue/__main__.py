"""`python -m examples.task_queue`: kills a worker, kills the server, asks for what cannot be done, and drains.

With `--backplane redis://...` there are two servers, and what is submitted at one is done by a worker of the other.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
from collections import Counter
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path

from capnweb_runtime import AnyStub, Reconnect, connect
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.task_queue.client import all_finished, submit_all
from examples.task_queue.generated.task_queue import TaskQueueStub
from examples.task_queue.late import late_result
from examples.task_queue.schemas.task_queue import CountWords, Draining, Finished, Mean

SERVER, WORKER = "examples.task_queue.server", "examples.task_queue.worker"
TASKS = 40


class Place:
    """Where everything of one run is: a file of tasks, a log of attempts, a backplane, and whatever runs."""

    def __init__(self, folder: Path, programs: AsyncExitStack, backplane: str) -> None:
        self.file = folder / "tasks.sqlite"
        self._log = folder / "runs.log"
        self._programs = programs
        self._backplane = backplane
        self.steady: Program | None = None  # the worker that nobody kills
        self.elsewhere = ""  # where it works: at a server that nobody kills, if there can be two

    async def begin(self) -> Program:
        """Starts the server, or two of them."""
        server = await self.server()
        self.elsewhere = server.url if self._backplane == "memory:" else (await self.server()).url
        return server

    async def server(self, port: int = 0) -> Program:
        shared = ("--file", str(self.file), "--backplane", self._backplane, "--lease", "1", "--backoff", "0")
        return await self._programs.enter_async_context(started(SERVER, "--port", str(port), *shared))

    async def worker(self, url: str, *options: str) -> Program:
        return await self._programs.enter_async_context(started(WORKER, url, "--log", str(self._log), *options))

    def runs(self) -> Counter[int]:
        """How often workers have begun each task, as they have noted themselves."""
        return Counter(int(line.split()[0]) for line in self._log.read_text("ascii").splitlines())


async def task_queue(report: Report, backplane: str) -> None:
    """Everything that the README claims."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as programs:
            place = Place(Path(folder), programs, backplane)
            server = await place.begin()
            # One client for all of it: it connects again when the server is killed.
            async with connect(server.url, TaskQueueStub, reconnect=Reconnect(first=0.05)) as queue:
                await worker_killed(report, place, queue, server.url)
                server = await server_killed(report, place, queue, server)
                await bad_tasks(report, place, queue, server.url)
                await drained(report, place, queue)
            await stopped(report, place, server)
    await late_result(report)


async def worker_killed(report: Report, place: Place, queue: TaskQueueStub, url: str) -> None:
    """A worker that is killed gives its task back by dying."""
    report.section("A worker is killed in the midst of a task")
    task = await queue.submit("report for November", CountWords(text="as many words as there are"))
    doomed = await place.worker(url, "--hang")
    report.check("the worker says", await doomed.line(), f"began {task}")
    report.check("tasks that are being done", await queue.stats().running, 1)
    await doomed.kill()
    place.steady = await place.worker(place.elsewhere)
    finished = await queue.finished(task)
    report.check("after kill -9, and with another worker", finished.result, 6.0)
    report.check("times that the task was begun", place.runs()[task], 2)
    report.check("results that were taken", await queue.stats().done, 1)


async def server_killed(report: Report, place: Place, queue: TaskQueueStub, server: Program) -> Program:
    """What was submitted is in the file, and clients and workers come back by themselves."""
    report.section("The server is killed, and started again")
    jobs = {f"page {number}": CountWords(text="word " * number) for number in range(1, TASKS + 1)}
    tasks = await submit_all(queue, jobs)
    await server.kill()
    server = await place.server(server.port)
    results = await all_finished(queue, tasks)
    report.check("tasks submitted before kill -9", len(tasks), TASKS)
    right = sum(finished.result == number for number, finished in enumerate(results, 1))
    report.check("of them done, with the right result", right, TASKS)
    report.check("tasks that no worker has begun", TASKS - len([task for task in tasks if place.runs()[task]]), 0)
    again = await submit_all(queue, jobs)
    report.check("submitting them again, by the same keys, adds nothing", again == tasks)
    return server


async def bad_tasks(report: Report, place: Place, queue: TaskQueueStub, url: str) -> None:
    """What cannot be done is put aside, and holds nothing up."""
    report.section("What bad tasks get")
    failed = await queue.finished(await queue.submit("mean of nothing", Mean(numbers=[])))
    report.check("a task that always fails", (failed.state, failed.attempts), ("dead", 3))
    report.say(str(failed.error))
    async with connect(url, AnyStub) as untyped:
        job = {"kind": "teleport", "to": "the moon"}
        wrong = await report.refused("a task of no known kind", untyped.call("submit", "key", job), TypeError)
        report.say(str(wrong))
    with closing(sqlite3.connect(place.file)) as database, database:
        database.execute("INSERT INTO tasks (key, job) VALUES ('from an older version', '{\"kind\": \"fax\"}')")
    after = await queue.finished(await queue.submit("after it", CountWords(text="one two")))
    report.check("a task behind one in the file that cannot be read", after.result, 2.0)
    dead = await queue.dead_letters()
    report.check("dead letters", len(dead), 2)
    report.say(str(dead[-1].error).splitlines()[0])


async def drained(report: Report, place: Place, queue: TaskQueueStub) -> None:
    """Draining waits for every task, and for everybody who is told of one."""
    report.section("Everything is drained")
    told: list[Finished] = []
    for number in range(1, TASKS + 1):
        await queue.submit(f"last page {number}", CountWords(text="word " * number), told.append)
    async with connect(place.elsewhere, TaskQueueStub) as other:
        stats, _ = await asyncio.gather(queue.drain(), other.drain())
    report.check("callbacks that had been answered by then", len(told), TASKS)
    report.check("tasks queued, running, and to be told of", (stats.queued, stats.running, stats.telling), (0, 0, 0))
    await report.refused("another task", queue.submit("too late", Mean(numbers=[1, 2])), Draining)


async def stopped(report: Report, place: Place, server: Program) -> None:
    """After that nothing is lost by stopping."""
    assert place.steady is not None
    report.check("the worker says", await place.steady.line(), "there is no more to do")
    report.check("exit code of the server after SIGTERM", await server.stop(), 0)
    report.say(await server.line())
    finished = 2 * TASKS + 4
    with closing(sqlite3.connect(place.file)) as database:
        (rows,) = database.execute("SELECT count(*) FROM tasks WHERE state IN ('done', 'dead')").fetchone()
    report.check("tasks in the file that have ended, of all that there ever were", rows, finished)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.task_queue", description=__doc__)
    parser.add_argument("--backplane", default="memory:", help="what servers share (default: %(default)s)")
    run("task_queue", partial(task_queue, backplane=parser.parse_args().backplane))
