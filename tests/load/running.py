"""Runs users against servers of their own, with more of them at each step, and keeps what Locust has counted.

Rule: everything stays on this machine; a server is a process of its own, and ends with its scenario.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
from locust.env import Environment

from examples.form.headers import ROOT
from examples.form.processes import READY
from tests.load.scenarios import SCENARIOS, Scenario
from tests.load.step import Step

STEPS = [50, 100, 200, 400]
"""Users at a time."""
PATIENCE = 60
"""Seconds beyond its time after which a step has hung."""
MOST_A_SECOND = 100
"""Users that come in a second; beyond that, Locust warns."""
TICKS = os.sysconf("SC_CLK_TCK")
"""Units of a second in which the system counts processor time."""


def run(names: list[str], seconds: float, steps: list[int], tell: Callable[[Step], None]) -> list[Step]:
    """Run scenarios.

    Parameters:
        names: which.
        seconds: how long all of them may take together.
        steps: numbers of users, one after the other.
        tell: is told of each step once it is over.
    """
    each = seconds / len(names) / len(steps)
    done: list[Step] = []
    for name in names:
        scenario = SCENARIOS[name]
        with served(scenario.server) as (url, pid):
            scenario.user.host = url
            for users in steps:
                with gevent.Timeout(each + PATIENCE):
                    done.append(step(name, scenario, pid, users, each))
                tell(done[-1])
    return done


def step(name: str, scenario: Scenario, pid: int, users: int, seconds: float) -> Step:
    """Have some users go on for a while. The time that they take to come in, a fifth of it at least, is not counted."""
    environment = Environment(user_classes=[scenario.user])
    runner = environment.create_local_runner()
    coming = max(seconds / 5, users / MOST_A_SECOND)
    runner.start(users, spawn_rate=users / coming)
    gevent.sleep(coming)
    environment.stats.reset_all()
    began, theirs, ours = time.monotonic(), processor_time(pid), time.process_time()
    gevent.sleep(seconds - seconds / 5)
    took = time.monotonic() - began
    core, users_core = (processor_time(pid) - theirs) / took, (time.process_time() - ours) / took
    total = environment.stats.total
    p50, p95, p99 = (float(total.get_response_time_percentile(part)) for part in (0.5, 0.95, 0.99))
    made = Step(name, users, total.num_requests / took, p50, p95, p99, total.num_failures, core, users_core)
    runner.quit()
    return made


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def served(module: str) -> Iterator[tuple[str, int]]:
    """A server as a process; gives its URL and the number of the process."""
    command = [sys.executable, "-m", module, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said.startswith(READY):
                raise RuntimeError(f"python -m {module} was to say {READY!r} and a URL, and said {said!r}")
            yield said.removeprefix(READY).split()[0], process.pid
        finally:
            process.terminate()
