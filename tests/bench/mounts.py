"""What carries the calls, compared: `python -m tests.bench.mounts` measures every transport and mount beside plain
`serve` in under three minutes, writes docs/performance/mounts.json, and docs/performance.md anew.

Rule: as in `compare`, everybody has a turn in each round; a carrier that fails is noted with the reason, and the others
go on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from capnweb_runtime.serving.development_certificate import make_certificate
from tests.bench import environments, render
from tests.bench.carriers import (
    BATCHES,
    PACKAGES,
    SAYS_READY,
    SERVERS,
    SESSIONS,
    TLS,
    Carrier,
    Found,
)
from tests.bench.processes import PYTHON, ROOT, MeasureError, Server, figures
from tests.bench.progress import Steps
from tests.bench.run import machine, measured, rounded

CARRIERS = (*SESSIONS, *BATCHES)
CLIENT = (*PYTHON, "tests.bench.mounts_client")


def measure(carriers: Iterable[Carrier], rounds: int, seconds: float, steps: Steps) -> list[Found]:
    """Runs every carrier in every round.

    Parameters:
        carriers: who takes part.
        rounds: how many rounds.
        seconds: how long each figure is measured.
        steps: told of each turn.

    Returns:
        One entry for each turn: "server", "transport", "round", and either the figures or "error".
    """
    carriers = tuple(carriers)
    found: list[Found] = []
    with serving({carrier.server for carrier in carriers}, steps) as (servers, authority):
        for number in range(rounds):
            steps.phase(f"round {number + 1}", len(carriers))
            for carrier in carriers:
                steps.step(f"{carrier.title.replace('`', '')}, {carrier.transport}")
                turn: Found = {"server": carrier.server, "transport": carrier.transport, "round": number}
                try:
                    found.append(turn | turn_of(carrier, servers, authority, seconds))
                except MeasureError as error:
                    steps.say(str(error))
                    found.append(turn | {"error": str(error)})
    return found


@contextlib.contextmanager
def serving(names: Iterable[str], steps: Steps) -> Iterator[tuple[dict[str, Server | MeasureError], Path]]:
    """Runs servers, all at once, since one that nobody asks takes nothing of the processor; gives them, or why they do
    not run, and the file of the authority that has signed the certificate.
    """
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        made = make_certificate(Path(folder))
        servers: dict[str, Server | MeasureError] = {}
        steps.phase("starting")
        for name in sorted(names):
            steps.say(name)
            command = [part.replace("{folder}", folder) for part in SERVERS[name]]
            try:
                servers[name] = stack.enter_context(Server(command, says_ready=name in SAYS_READY))
            except MeasureError as error:
                servers[name] = error
        yield servers, made.authority


def turn_of(
    carrier: Carrier, servers: dict[str, Server | MeasureError], authority: Path, seconds: float
) -> dict[str, float]:
    """The figures of one turn. Raises MeasureError."""
    server = servers[carrier.server]
    if isinstance(server, MeasureError):
        raise server
    command = [*CLIENT, carrier.url(server.port), carrier.transport, "--dur", str(seconds)]
    if carrier.server == TLS:
        command += ["--authority", str(authority)]
    return figures(command, timeout=60 + 10 * seconds)


def versions() -> dict[str, str]:
    """What they are made of, with versions."""
    own = environments.versions(sys.executable)
    return {name: own[name] for name in PACKAGES if name in own}


def tables(data: dict[str, Any]) -> Iterator[Table]:
    """The tables of the document, for a terminal."""
    for one in render.mounted(data)["tables"]:
        table = Table(one["title"], *one["columns"])
        for row in one["rows"]:
            table.add_row(row["title"].replace("`", ""), *row["cells"])
        yield table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each figure is measured, after a third")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    console = Console()
    with Steps(console) as steps:
        before = machine()
        turns = measure(CARRIERS, options.rounds, options.seconds, steps)
        data = {
            "run": {"rounds": options.rounds, "seconds": options.seconds},
            "machine": before | {"Measured": measured(steps)},
            "versions": versions(),
            "turns": rounded(turns),
        }
        steps.close()
    for table in tables(data):
        console.print(table)
    if not options.dry:
        render.MOUNTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        for path in render.write(render.everything()):
            console.print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
