"""A server of the queue: `python -m examples.task_queue.server --port 8080 --file tasks.sqlite`.

Several may have one file, with `--backplane redis://...`: what is submitted at one is done by workers of any.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import closing
from pathlib import Path
from zlib import crc32

from capnweb_runtime import serve
from capnweb_runtime.scale import open_backplane
from examples.task_queue.policy import Policy
from examples.task_queue.queue import TaskQueue
from examples.task_queue.store import Store

GRACE = 30.0
"""Seconds that workers have for the tasks that they are at when the server is told to stop."""


async def keep_looking(queue: TaskQueue, every: float) -> None:
    """Has the queue look at its file, every so many seconds."""
    while True:
        await asyncio.sleep(every)
        queue.look()


async def main(port: int, file: Path, policy: Policy, backplane: str) -> None:
    """Serve until a signal; then let workers finish, and say what is left."""
    name = f"tasks-{crc32(bytes(file)):x}"  # those with one file are one queue
    with closing(Store(file)) as store:
        async with open_backplane(backplane, name=name) as shared, asyncio.TaskGroup() as group:
            queue = TaskQueue(store, policy, shared)
            working = [group.create_task(queue.watch()), group.create_task(keep_looking(queue, policy.look))]
            async with serve(lambda peer: queue, "127.0.0.1", port) as server:
                print("serving", server.url, flush=True)
                await server.run(grace=GRACE, on_stop=queue.stop)
            for task in working:
                task.cancel()
        print("stopped:", ", ".join(f"{number} {state}" for state, number in queue.stats()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.task_queue.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--file", type=Path, default="tasks.sqlite", help="where tasks are kept (default: %(default)s)")
    parser.add_argument("--backplane", default="memory:", help="what servers share (default: %(default)s)")
    parser.add_argument("--attempts", type=int, default=Policy.attempts, help="how often a task is tried")
    parser.add_argument(
        "--lease", type=float, default=Policy.lease, help="seconds between two signs of a worker's life"
    )
    parser.add_argument("--backoff", type=float, default=Policy.backoff, help="seconds before the second attempt")
    options = parser.parse_args()
    policy = Policy(attempts=options.attempts, lease=options.lease, backoff=options.backoff)
    asyncio.run(main(options.port, options.file.resolve(), policy, options.backplane))
