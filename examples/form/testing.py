"""What the tests of the examples share: run one as a user does, and read what it printed.

Rule: what is printed is compared with output.txt line by line; only figures after `~` may differ.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from examples.form.headers import EXAMPLES, ROOT

SECONDS = 120
"""How long a run may take on a busy machine before it counts as hanging."""
_VARYING = re.compile(r"~[\d.,]*\d(e[+-]?\d+)?")


@dataclass(frozen=True)
class Ran:
    """What a run of an example printed.

    Attributes:
        name: which example.
        lines: what it printed, line by line.
    """

    name: str
    lines: tuple[str, ...]

    @property
    def claims(self) -> dict[str, str]:
        """What was checked: for each claim its value as it was printed, empty where the claim is the value."""
        held = [line.removeprefix("  ok  ") for line in self.lines if line.startswith("  ok  ")]
        return {
            claim: value
            for claim, _, value in (line.rpartition(": ") if ": " in line else (line, "", "") for line in held)
        }

    def number(self, claim: str) -> float:
        """The first number in the value of a claim."""
        found = re.search(r"-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?", self.claims[claim])
        assert found is not None, f"{claim}: {self.claims[claim]} has no number"
        return float(found[0].replace(",", ""))


def steady(text: str) -> list[str]:
    """Lines without what may differ from run to run."""
    return [_VARYING.sub("~", line).rstrip() for line in text.rstrip("\n").split("\n")]


def as_documented(name: str, *arguments: str, env: dict[str, str] | None = None) -> Ran:
    """Run `python -m examples.NAME`, as a user does in a pipe, and compare what it prints with its output.txt.

    To accept what it prints now: `python -m examples.NAME > examples/NAME/output.txt`.

    Parameters:
        name: the example, with slashes.
        arguments: for it.
        env: variables of the environment besides ours.

    Raises:
        AssertionError: it printed something else, printed to standard error, or failed.
    """
    module = f"examples.{name.replace('/', '.')}"
    surroundings = {key: value for key, value in os.environ.items() if key not in {"FORCE_COLOR", "TTY_COMPATIBLE"}}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        cwd=ROOT,
        env={**surroundings, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "", done.stderr
    assert steady(done.stdout) == steady(output(name)), f"python -m {module} > examples/{name}/output.txt accepts this"
    return Ran(name, tuple(done.stdout.rstrip("\n").split("\n")))


def output(name: str) -> str:
    """What an example is documented to print."""
    return Path(EXAMPLES / name / "output.txt").read_text("utf-8")
