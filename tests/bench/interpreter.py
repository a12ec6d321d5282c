"""How an interpreter was built, and which one to measure with. Rule: what a build's configuration does not tell, a loop
of plain Python does.

pyenv builds without profile-guided optimisation unless it is told otherwise, and what distributions ship is up to 1.5
times faster. `python -m tests.bench.interpreter` prints the interpreter that `make bench` takes: the fastest of the
same version as its own that is found.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
CLEARLY = 1.1  # how many times as fast another build has to be, so that noise does not choose
PROBE = """
import json, platform, sys, sysconfig, time
import ensurepip, venv

def work():
    seen, total = {}, 0
    for number in range(60_000):
        seen[number & 255] = (number, total)
        total += len(seen[number & 255])
        pair = [total, number]
        total ^= pair[1]

def timed():
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun

print(json.dumps({
    "path": sys.executable,
    "version": platform.python_version(),
    "compiler": platform.python_compiler(),
    "configured": sysconfig.get_config_var("CONFIG_ARGS") or "",
    "loop": min(timed() for _ in range(9)),
}))
"""


@dataclass(frozen=True, slots=True)
class Build:
    """One interpreter.

    Attributes:
        path: where it is.
        version: its version in full.
        compiler: what it was compiled with.
        configured: what `configure` was told.
        loop: seconds that it takes for a loop of plain Python.
    """

    path: str
    version: str
    compiler: str
    configured: str
    loop: float

    @property
    def optimisation(self) -> str:
        """What its configuration tells of profile-guided and link-time optimisation."""
        told = [flag for flag in ("--enable-optimizations", "--with-lto") if flag in self.configured]
        if told:
            return "configured with " + " ".join(told)
        if "--with-dbmliborder=" in self.configured and str(Path(self.path).resolve()).startswith("/usr/"):
            return "as Debian builds it, with profile-guided optimisation"  # its rules say `profile-opt`, not configure
        return "configured without optimisation"

    def __str__(self) -> str:
        return f"{self.version}, {self.optimisation}, {self.compiler}; {self.loop * 1e3:.1f} ms for the loop of probes"


def probe(python: str) -> Build | None:
    """What there is to know of an interpreter; None if it does not run, or can make no environments."""
    try:
        ran = subprocess.run([python, "-I", "-c", PROBE], capture_output=True, text=True, timeout=60, check=True)
        return Build(**json.loads(ran.stdout))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def candidates() -> Iterable[str]:
    """Interpreters of this version: those on PATH, those that distributions install, and those of pyenv."""
    name = f"python{MINOR}"
    places = [*os.get_exec_path(), "/usr/local/bin", "/usr/bin"]
    found = [shutil.which(name, path=place) for place in places]
    found += [str(path) for path in sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"))]
    return dict.fromkeys(str(Path(path).resolve()) for path in found if path)


def fastest(own: Build, others: Iterable[Build]) -> Build:
    """The one to measure with: its own, unless another is clearly faster."""
    best = min((own, *others), key=lambda build: build.loop)
    return best if best.loop * CLEARLY < own.loop else own


def main() -> None:
    own = probe(sys.executable)
    if own is None:
        raise SystemExit(f"{sys.executable} cannot make virtual environments")
    build = fastest(own, [found for found in map(probe, candidates()) if found is not None])
    print(f"measuring with Python {build}", file=sys.stderr)
    print(build.path)


if __name__ == "__main__":
    main()
