"""Runs every contender through every workload: whole rounds, in which each contender has its turn at each workload.

Rule: machines drift, so what counts is the ratio of medians over rounds of one run. A contender that fails is noted
with the reason, and the others go on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench import environments
from tests.bench.contenders import CONTENDERS, ENVIRONMENTS, Contender
from tests.bench.processes import MeasureError, Server, figures
from tests.bench.progress import Steps

ONCE = ("f100k",)  # long enough by itself


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        contenders: who takes part.
        workloads: which workloads.
        rounds: how many rounds at most.
        seconds: how long each workload is measured.
        cycles: cycles of f100k.
        mib: size of g.
        deadline: seconds since the start of the run after which no further round is begun.
    """

    contenders: tuple[Contender, ...]
    workloads: tuple[str, ...]
    rounds: int
    seconds: float
    cycles: int
    mib: int
    deadline: float

    def turns(self, round_number: int) -> list[tuple[str, Contender]]:
        """The turns of one round, in order."""
        return [
            (workload, contender)
            for workload in self.workloads
            if round_number == 0 or workload not in ONCE
            for contender in self.contenders
            if workload in contender.workloads
        ]


class Servers:
    """The servers of a comparison, started when first asked for, and again if one has died."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], Server] = {}

    def get(self, command: tuple[str, ...]) -> Server:
        """The server with that command. Raises MeasureError if it does not start."""
        server = self._running.get(command)
        if server is None or not server.alive:
            if server is not None:
                server.close()
            server = self._running[command] = Server(command)
        return server

    def close(self) -> None:
        """Ends them all."""
        for server in self._running.values():
            server.close()
        self._running = {}


def available(contenders: Sequence[Contender], steps: Steps) -> tuple[list[Contender], dict[str, str]]:
    """Prepares the environments of the contenders.

    Returns:
        Those that can run, and of the others why they cannot.
    """
    failures: dict[str, str | None] = {}
    for name, requirements in ENVIRONMENTS.items():
        if any(contender.environment == name for contender in contenders):
            failures[name] = environments.prepare(name, requirements, steps.say)
    ready: list[Contender] = []
    absent: dict[str, str] = {}
    for contender in contenders:
        if contender.environment is None or is_installed(contender):
            ready.append(contender)
        else:
            absent[contender.key] = f"not installed: {failures[contender.environment] or 'for an unknown reason'}"
    return ready, absent


def is_installed(contender: Contender) -> bool:
    """Whether a peer's environment has its distribution."""
    return contender.package in environments.versions(environments.python_of(contender.environment or ""))


def compare(plan: Plan, steps: Steps) -> list[dict[str, Any]]:
    """Measures.

    Returns:
        One entry for each turn: "workload", "contender" and "round", with what the client printed, or with "error".
    """
    results: list[dict[str, Any]] = []
    longest = 0.0  # of the rounds so far, without what is done once
    with contextlib.closing(Servers()) as servers:
        for number in range(plan.rounds):
            if number and steps.elapsed + longest > plan.deadline:
                steps.say(f"no time for round {number + 1}")
                break
            turns = plan.turns(number)
            steps.phase(f"round {number + 1}", len(turns))
            spent = 0.0
            for workload, contender in turns:
                began = steps.elapsed
                steps.step(f"{workload} {contender.title}")
                turn = {"workload": workload, "contender": contender.key, "round": number}
                try:
                    results.append(turn | measure(contender, workload, plan, servers))
                except MeasureError as error:
                    steps.say(str(error))
                    results.append(turn | {"error": str(error)})
                spent += 0 if workload in ONCE else steps.elapsed - began
            longest = max(longest, spent)
    return results


def measure(contender: Contender, workload: str, plan: Plan, servers: Servers) -> dict[str, Any]:
    """One turn. Raises MeasureError."""
    server = servers.get(contender.server)
    command = [
        *contender.client,
        *("--port", str(server.port), "--srvpid", str(server.pid), "--wl", workload),
        *("--dur", str(plan.seconds), "--warm", str(plan.seconds / 2)),
        *("--cycles", str(plan.cycles), "--mib", str(plan.mib)),
    ]
    return figures(command, timeout=30 + 3 * plan.seconds + plan.cycles / 500 + plan.mib / 4)


@contextlib.contextmanager
def serving(title: str) -> Iterator[int]:
    """Runs the server of a contender, named as in the table, and gives its port."""
    command = next(contender.server for contender in CONTENDERS if contender.title == title)
    with Server(command) as server:
        yield server.port
