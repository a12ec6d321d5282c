"""A worker: `python -m examples.task_queue.worker ws://127.0.0.1:8080/ --log runs.log`.

It takes one task after another, says that it is alive while it is at one, and ends when there will be no more.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from capnweb_runtime import Disconnected, Reconnect, SessionError, connect
from examples.task_queue.generated.task_queue import LeaseStub, TaskQueueStub
from examples.task_queue.schemas.task_queue import CountWords, Leased, LeaseLost, Mean

Do = Callable[[Leased[LeaseStub]], Awaitable[float]]


async def do(leased: Leased[LeaseStub]) -> float:
    """The work itself. Whatever it does besides has to bear being done twice."""
    match leased.job:
        case CountWords(text=text):
            return float(len(text.split()))
        case Mean(numbers=numbers):
            return sum(numbers) / len(numbers)


async def renewing(lease: LeaseStub, every: float) -> None:
    """Says that this worker is alive, for ever. Raises LeaseLost once the task is somebody else's."""
    while True:
        await asyncio.sleep(every)
        await lease.renew()


async def attempt(leased: Leased[LeaseStub], do: Do) -> None:
    """Does a task under its lease, and says what came of it. A lease that is lost meanwhile cancels the work."""
    async with asyncio.TaskGroup() as group:
        beating = group.create_task(renewing(leased.lease, leased.seconds / 3))
        try:
            result = await do(leased)
        except Exception as error:
            await leased.lease.fail(f"{type(error).__name__}: {error}"[:1000])
        else:
            await leased.lease.complete(result)
        beating.cancel()


async def take(queue: TaskQueueStub) -> Leased[LeaseStub] | None:
    """The next task. What a server gave that is gone, it has taken back, or another one will."""
    while True:
        try:
            return await queue.take()
        except Disconnected as lost:
            if not lost.sent:
                raise


async def work(queue: TaskQueueStub, do: Do = do) -> None:
    """Takes one task after another until there will be no more."""
    while (leased := await take(queue)) is not None:
        with leased.lease:
            try:
                await attempt(leased, do)
            except* (LeaseLost, SessionError):
                pass  # somebody else has the task, or will have it


async def main(url: str, log: Path | None, hang: bool) -> None:
    """Work, on one session after another, until the queue is done."""

    async def logged(leased: Leased[LeaseStub]) -> float:
        if log is not None:
            with log.open("a") as file:
                file.write(f"{leased.task} {leased.attempt}\n")
        if hang:
            print("began", leased.task, flush=True)
            await asyncio.Event().wait()
        return await do(leased)

    async with connect(url, TaskQueueStub, reconnect=Reconnect()) as queue:
        print("serving", url, flush=True)
        await work(queue, logged)
    print("there is no more to do", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.task_queue.worker", description=__doc__)
    parser.add_argument("url", help="where the queue is")
    parser.add_argument("--log", type=Path, help="a file that gets a line for each attempt that is begun")
    parser.add_argument("--hang", action="store_true", help="begin a task, and never end it")
    options = parser.parse_args()
    asyncio.run(main(options.url, options.log, options.hang))
