"""Where the peers run: one virtual environment for each file of requirements, in a folder that git ignores. Rule: a
peer that cannot be installed is missing from the comparison, with the reason, and nothing else fails.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.processes import ROOT

FOLDER = ROOT / ".venv-bench"
PEERS = Path(__file__).parent / "peers"
# What the peers stand on is pinned as well, by `make lock`.
_INSTALL = (
    *("-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--timeout", "20", "--retries", "1"),
    *("-c", str(PEERS / "constraints.txt")),
)
_VERSIONS = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def python_of(name: str) -> str:
    """The interpreter of an environment."""
    return str(FOLDER / name / "bin" / "python")


def prepare(name: str, requirements: str, say: Callable[[str], None]) -> str | None:
    """Makes an environment, unless there is one of this interpreter that has what is required.

    Parameters:
        name: name of its folder.
        requirements: name of the file in peers/.
        say: is told what takes long.

    Returns:
        None, or what could not be installed and why.
    """
    text = (PEERS / requirements).read_text("utf-8")
    stamp = f"# {sys.base_prefix}\n{text}"
    done = FOLDER / name / ".installed"
    if done.exists() and done.read_text("utf-8") == stamp:
        return None
    say(f"installing {requirements} into {FOLDER.name}/{name}")
    failed = _run([sys.executable, "-m", "venv", "--clear", str(FOLDER / name)])
    if failed is None and _run([python_of(name), *_INSTALL, "-r", str(PEERS / requirements)]) is None:
        done.write_text(stamp, "utf-8")
        return None
    if failed is not None:
        return failed
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    failures = {line: _run([python_of(name), *_INSTALL, line]) for line in lines}
    return "; ".join(f"{line.split()[0]}: {why}" for line, why in failures.items() if why is not None) or None


def versions(python: str) -> dict[str, str]:
    """The distributions of an environment, by normalized name; none if there is no such environment."""
    try:
        ran = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[str, str] = json.loads(ran.stdout)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found.items()}


def npm_version(package: str) -> str | None:
    """The version of a package that tests/interop has installed; None if it has not."""
    path = ROOT / "tests/interop/node_modules" / package / "package.json"
    if not path.exists():
        return None
    described: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return str(described["version"])


def node_version() -> str | None:
    """The version of Node; None if there is none."""
    try:
        ran = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.strip().removeprefix("v")


def _run(command: list[str]) -> str | None:
    """Runs a step of an installation; None, or the last line of what it complained about."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if not ran.returncode:
        return None
    lines = [line.strip() for line in ran.stderr.splitlines()]
    for beginning in ("fatal: ", "ERROR: "):  # what git says of a failure comes before what pip makes of it
        complaints = [line.removeprefix(beginning) for line in lines if line.startswith(beginning)]
        if complaints:
            return complaints[-1]
    return lines[-1] if lines else f"exit status {ran.returncode}"
