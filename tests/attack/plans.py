"""Hostile plans, one after the other, and what a neighbour notices of them. Rule: in turns with times in which nobody
attacks, so that what else the machine does is in both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.attack.hostile_plans import hostile_plan
from tests.attack.peer import Peer
from tests.attack.process import Process

WINDOW = 1.0
"""Seconds of a time in which there is an attack, and of one in which there is none."""
TOGETHER = 20
"""Plans that are sent at a time."""
SEED = 18


class Attacker:
    """A client that sends hostile plans, and comes again where its session is ended.

    Parameters:
        port: of the server.

    Attributes:
        plans: how many it has sent.
        ended: how many sessions that has cost it.
    """

    def __init__(self, port: int) -> None:
        self.plans = self.ended = 0
        self._port = port
        self._numbers = count()
        self._open()

    def _open(self) -> None:
        self.peer = Peer(self._port)
        self._calls = 0

    def attack(self) -> None:
        """Some plans, and a call behind them, whose answer is waited for."""
        began = self._calls
        try:
            self.peer.send(*self._messages())
            self._calls += 1
            self.peer.send(["push", ["pipeline", 0, ["add"], [1, 2]]], ["pull", self._calls])
            answer = self.peer.until(self._calls)
        except OSError as error:
            answer = str(error)
        if not isinstance(answer, list) or answer[0] != "resolve":
            self.ended += 1
            self.peer.close()
            self._open()
            return
        self.peer.send(*[["release", number, 1] for number in range(began + 1, self._calls + 1)])

    def _messages(self) -> Iterator[Any]:
        for _ in range(TOGETHER):
            self.plans += 1
            self._calls += 1
            yield ["push", ["remap", 0, [], [], hostile_plan(SEED, next(self._numbers))]]
            yield ["pull", self._calls]


def hostile_plans(seconds: float) -> Any:
    """An attack: as many hostile plans as a client gets done in so many seconds."""

    def attack(port: int) -> tuple[list[Peer], str]:
        neighbour, attacker = Process("tests.attack.neighbour", str(port), "all"), Attacker(port)
        attacked, left = [], seconds
        time.sleep(WINDOW)
        while left > 0:
            began = time.perf_counter()
            while time.perf_counter() < began + WINDOW:
                attacker.attack()
            attacked.append((began, time.perf_counter()))
            left -= attacked[-1][1] - began
            time.sleep(WINDOW)
        calls = json.loads(neighbour.finish())
        neighbour.end()
        return [attacker.peer], f"{attacker.plans:,} plans; {compared(calls, attacked)}"

    return attack


def compared(calls: list[tuple[float, float]], attacked: list[tuple[float, float]]) -> str:
    """What a neighbour's calls took while there were attacks, beside the others.

    Parameters:
        calls: when each began, and the milliseconds that it took.
        attacked: from when to when there were attacks.
    """
    during = [took for at, took in calls if any(began <= at < ended for began, ended in attacked)]
    between = [took for at, took in calls if not any(began <= at < ended for began, ended in attacked)]
    disturbed, undisturbed = percentile(during, 0.99), percentile(between, 0.99)
    return f"p99 {disturbed:.1f} ms to {undisturbed:.1f}: {disturbed / undisturbed:.2f} times"


def percentile(values: list[float], part: float) -> float:
    """The value below which so large a part of them is."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]
