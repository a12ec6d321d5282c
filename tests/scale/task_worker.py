"""A worker of the example of a task queue whose tasks take their time: `python -m tests.scale.task_worker URL --log
FILE`. The mean of a task's numbers is how many seconds it takes. What it begins and ends is a line of FILE.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path

from capnweb_runtime import Reconnect, connect
from examples.task_queue.generated.task_queue import LeaseStub, TaskQueueStub
from examples.task_queue.schemas.task_queue import Leased
from examples.task_queue.worker import do, work


async def main(url: str, log: Path) -> None:
    """Work until killed."""

    def note(what: str, task: int) -> None:
        with log.open("a", encoding="ascii") as file:
            file.write(f"{what} {task} {os.getpid()} {time.monotonic():.3f}\n")

    async def takes_its_time(leased: Leased[LeaseStub]) -> float:
        note("begin", leased.task)
        seconds = await do(leased)
        await asyncio.sleep(seconds)
        note("end", leased.task)
        return seconds

    async with connect(url, TaskQueueStub, reconnect=Reconnect()) as queue:
        print("serving", url, flush=True)
        await work(queue, takes_its_time)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--log", type=Path, required=True)
    asyncio.run(main(**vars(parser.parse_args())))
