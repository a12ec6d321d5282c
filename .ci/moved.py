"""Says which installed packages differ from those that `constraints.txt` names. Rule: it only tells, and never fails.

    python .ci/moved.py

prints a line for each that moved, with both versions, for those who look for what a failure came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).with_name("constraints.txt")


def normalized(name: str) -> str:
    """A name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(text: str) -> dict[str, str]:
    """Versions by name, as a file of constraints pins them. Where markers give several, the last is taken."""
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in text.splitlines())
    return {normalized(name): version for name, _, version in (line.partition("==") for line in lines) if version}


def moved(installed: dict[str, str], wanted: dict[str, str]) -> Iterator[str]:
    """A line for each package that is installed in another version than wanted, or that is not wanted at all."""
    for name, version in sorted(installed.items()):
        if name in wanted and wanted[name] != version:
            yield f"  {name:<24} {wanted[name]:>16} -> {version}"
        elif name not in wanted and name not in {"pip", "setuptools", "capnweb-gen"}:
            yield f"  {name:<24} {'new':>16} -> {version}"


def main() -> None:
    """Prints what moved."""
    installed = {normalized(found.name): found.version for found in distributions()}
    lines = list(moved(installed, pinned(CONSTRAINTS.read_text("utf-8"))))
    print("\n".join(["moved since `make lock`:", *lines]) if lines else "nothing has moved since `make lock`")


if __name__ == "__main__":
    main()
