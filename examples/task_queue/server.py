"""A server of the queue: `python -m examples.task_queue.server --port 8080 --file tasks.sqlite`.

Several may have one file, with `--backplane redis://...`: what is submitted at one is done by workers of any.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from zlib import crc32

from capnweb_runtime import serve
from capnweb_runtime.scale import open_backplane
from examples.task_queue.queue import Policy, TaskQueue
from examples.task_queue.store import Store

GRACE = 30.0
"""Seconds that workers have for the tasks that they are at when the server is told to stop."""


async def main(port: int, file: Path, policy: Policy, backplane: str) -> None:
    """Serve until a signal; then let workers finish, and say what is left."""
    name = f"tasks-{crc32(bytes(file)):x}"  # those with one file are one queue
    with closing(Store(file)) as store:
        async with open_backplane(backplane, name=name) as shared, asyncio.TaskGroup() as group:
            queue = TaskQueue(store, policy, shared)
            watching = group.create_task(queue.watch())
            async with serve(lambda peer: queue, "127.0.0.1", port) as server:
                print("serving", server.url, flush=True)
                await server.run(grace=GRACE, on_stop=queue.stop)
            watching.cancel()
        print("stopped:", ", ".join(f"{number} {state}" for state, number in queue.stats()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.task_queue.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--file", type=Path, default="tasks.sqlite", help="where tasks are kept (default: %(default)s)")
    parser.add_argument("--backplane", default="memory:", help="what servers share (default: %(default)s)")
    for name, default in asdict(Policy()).items():
        kind = int if name == "attempts" else float
        parser.add_argument(f"--{name}", type=kind, default=default, help="see Policy (default: %(default)s)")
    options = vars(parser.parse_args())
    port, file, backplane = (options.pop(name) for name in ("port", "file", "backplane"))
    asyncio.run(main(port, file.resolve(), Policy(**options), backplane))
