"""An honest client of the same server: calls in a loop until its input ends, then prints how long they took.

`python -m tests.attack.neighbour PORT` prints "ready", and in the end the median and the longest, in milliseconds;
with `all` behind it, when each call began, by the system's clock of seconds, and how long it took.
"""

from __future__ import annotations

import json
import select
import statistics
import sys
import time

from tests.attack.peer import Peer

PAUSE = 0.002
"""Seconds between two calls."""


def main(port: int, tells_all: bool) -> None:
    peer, took, number = Peer(port, timeout=120), [], 0
    began: list[float] = []
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        number += 1
        start = time.perf_counter()
        peer.send(["push", ["pipeline", 0, ["add"], [1, 2]]], ["pull", number], ["release", number, 1])
        if peer.receive() != ["resolve", number, 3]:
            raise RuntimeError("an answer that is none")
        began.append(start)
        took.append((time.perf_counter() - start) * 1000)
    told = [*zip(began, took, strict=True)] if tells_all else [statistics.median(took), max(took)]
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), "all" in sys.argv[2:])
