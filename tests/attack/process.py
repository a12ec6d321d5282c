"""A process of its own, whose first line says what one needs to know of it, and what the system counts of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

SETTLE = 0.5
"""Seconds before and after an attack."""
LONGEST_WORK = 120
"""How often that time passes before nobody waits for the end of an attack any more."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """The server, or its neighbour."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._files = Path("/proc", str(self._process.pid))
        self.line = self.read()

    def read(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def memory(self, kind: str) -> float:
        """Megabytes; "VmRSS" now, "VmHWM" at most."""
        for line in (self._files / "status").read_text().splitlines():
            if line.startswith(kind):
                return int(line.split()[1]) / 1024
        return float("nan")

    def cpu(self) -> float:
        """Seconds."""
        fields = (self._files / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def settle(self) -> None:
        """Waits until it has hardly anything to do any more, or is dead."""
        for _ in range(LONGEST_WORK):
            before = self.cpu() if self.lives else 0
            time.sleep(SETTLE)
            if not self.lives or self.cpu() - before < SETTLE / 4:
                return

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def finish(self) -> str:
        """Ends its input, and returns what it says to that."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.read()

    def end(self) -> None:
        if self.lives:
            self._process.terminate()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(60)
