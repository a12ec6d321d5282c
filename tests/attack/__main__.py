"""`make attack`: runs each attack against a server of its own, beside a neighbour, and prints what became of both.

Rule: what is measured is the server's process, as the system counts it, and the neighbour's longest call. The figures
are those of this machine at this moment: nothing is asserted here; what must hold in counts is in
tests/runtime/fairness.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from tests.attack.attacks import ATTACKS, Attack
from tests.attack.process import SETTLE, Process

_ROW = "{:<40} {:>9} {:>8} {:>8} {:>7} {:>9} {:>9} {:>9}  {}"


def measure(name: str, attack: Attack) -> str:
    """A row of the table."""
    server = Process("tests.attack.server")
    port = int(server.line)
    neighbour = Process("tests.attack.neighbour", str(port))
    time.sleep(SETTLE)
    (Path("/proc") / str(server._process.pid) / "clear_refs").write_text("5")  # forgets the most that it has had
    memory, cpu = server.memory("VmRSS"), server.cpu()
    try:
        peers, outcome = attack(port)
        server.settle()
        held, most, spent = server.memory("VmRSS") - memory, server.memory("VmHWM") - memory, server.cpu() - cpu
        median, longest = json.loads(neighbour.finish() or "[NaN, NaN]")
        sent = sum(peer.sent for peer in peers) / 1e6
        for peer in peers:
            peer.close()
        figures = [f"{sent:.3f}", f"{held:+.0f}", f"{most:+.0f}", f"{spent:.2f}"]
        figures += [f"{spent / sent:.2f}", f"{median:.1f}", f"{longest:.0f}"]
        return _ROW.format(name, *figures, "" if server.lives else "the server died; ") + _shown(outcome)
    finally:
        neighbour.end()
        server.end()


def _shown(outcome: Any) -> str:
    shown = "" if outcome is None else str(outcome)
    return shown if len(shown) < 80 else shown[:77] + "..."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="part of the name of an attack; all of them by default")
    names = parser.parse_args().names
    print(_ROW.format("attack", "sent/MB", "held/MB", "peak/MB", "CPU/s", "CPU/s/MB", "median/ms", "longest/ms", ""))
    for name, make in ATTACKS.items():
        if not names or any(part in name for part in names):
            print(measure(name, make()), flush=True)


if __name__ == "__main__":
    main()
