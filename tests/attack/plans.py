"""Hostile plans, one after the other, and what a neighbour notices of them. Rule: in turns with times in which as many
processes are busy, so that what it costs to share the machine with them is in both: the same attacker at another
server, and a client with ordinary work at the same one.
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
PAUSE = 0.3
"""Seconds between them, which count for none: what was begun before is done by then."""
TOGETHER = 20
"""Plans that are sent at a time."""
ELEMENTS = 300
"""Of the lists that a harmless client has mapped."""
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


class Harmless(Attacker):
    """A client that asks for what anybody may, and keeps a server as busy: maps with a call for each of some elements,
    as fast as they are answered.
    """

    def _messages(self) -> Iterator[Any]:
        for _ in range(TOGETHER // 2):
            self._calls += 2
            yield ["push", [[*range(ELEMENTS)]]]
            mapped = ["remap", self._calls - 1, [], [["import", 0]], [["pipeline", -1, ["add"], [1, 2]]]]
            yield ["push", ["pipeline", 0, ["echo"], [mapped]]]
            yield ["pull", self._calls]


def hostile_plans(seconds: float) -> Any:
    """An attack: as many hostile plans as a client gets done in so many seconds; and as many seconds of the same on
    another server, of harmless maps, and of nothing, in turns.
    """

    def attack(port: int) -> tuple[list[Peer], str]:
        neighbour, other = Process("tests.attack.neighbour", str(port), "all"), Process("tests.attack.server")
        here, elsewhere, harmless = Attacker(port), Attacker(int(other.line)), Harmless(port)
        times: dict[str, list[tuple[float, float]]] = {}
        left = seconds
        while left > 0:
            for name, client in (("attacked", here), ("elsewhere", elsewhere), ("harmless", harmless), ("idle", None)):
                time.sleep(PAUSE)
                times.setdefault(name, []).append(during(client))
            began, ended = times["attacked"][-1]
            left -= ended - began
        calls = json.loads(neighbour.finish())
        for process in (neighbour, other):
            process.end()
        for client in (elsewhere, harmless):
            client.peer.close()
        return [here.peer], f"{here.plans:,} plans; {compared(calls, times)}"

    return attack


def during(client: Attacker | None) -> tuple[float, float]:
    """Has a client send for a while, or only waits. Returns from when to when."""
    began = time.perf_counter()
    while time.perf_counter() < began + WINDOW:
        if client is None:
            time.sleep(WINDOW)
        else:
            client.attack()
    return began, time.perf_counter()


def compared(calls: list[tuple[float, float]], times: dict[str, list[tuple[float, float]]]) -> str:
    """What a neighbour's calls took while its server was attacked, beside those while something else went on.

    Parameters:
        calls: when each began, and the milliseconds that it took.
        times: from when to when that was: an attack, one elsewhere, harmless maps, nothing.
    """
    taken = {
        name: [took for at, took in calls if any(began <= at < ended for began, ended in spans)]
        for name, spans in times.items()
    }
    p99 = {name: percentile(values, 0.99) for name, values in taken.items()}
    return "p99 in ms: " + ", ".join(f"{name} {value:.1f}" for name, value in p99.items())


def percentile(values: list[float], part: float) -> float:
    """The value below which so large a part of them is."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]
