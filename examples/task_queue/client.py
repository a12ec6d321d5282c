"""Who submits tasks: `python -m examples.task_queue.client ws://127.0.0.1:8080/ "some text" "another text"`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from uuid import uuid4

from capnweb_runtime import Reconnect, connect
from examples.task_queue.generated.task_queue import TaskQueueStub
from examples.task_queue.schemas.task_queue import CountWords, Finished, Mean


async def submit_all(queue: TaskQueueStub, jobs: Mapping[str, CountWords | Mean]) -> list[int]:
    """Submits tasks by key, all at once, and gives their numbers."""
    return await asyncio.gather(*(queue.submit(key, job) for key, job in jobs.items()))


async def all_finished(queue: TaskQueueStub, tasks: list[int]) -> list[Finished]:
    """Waits until tasks have ended, however often the connection is lost meanwhile."""
    return await asyncio.gather(*(queue.finished(task) for task in tasks))


async def main(url: str, texts: list[str]) -> None:
    """Have the words of texts counted."""
    async with connect(url, TaskQueueStub, reconnect=Reconnect()) as queue:
        tasks = await submit_all(queue, {uuid4().hex: CountWords(text=text) for text in texts})
        for finished in await all_finished(queue, tasks):
            print(finished.task, finished.state, finished.result or finished.error)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
