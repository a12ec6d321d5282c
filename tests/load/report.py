"""Writes docs/load.md and its plots from docs/load/results.json: `python -m tests.load.report [--check]`.

Rule: the same results and the same template give the same bytes; nothing is measured here, and Locust is not imported.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import jinja2

from tests.bench.chart import Axis, Series, lines
from tests.load.step import Step

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "load.md"
FOLDER = ROOT / "docs" / "load"
RESULTS = FOLDER / "results.json"
TEMPLATE = Path(__file__).with_name("load.md.jinja")
USERS = Axis("users", zero=True)


def results() -> dict[str, Any]:
    """What was measured last."""
    data: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return data


def rendered(data: dict[str, Any]) -> dict[Path, str]:
    """The document and its plots, by path."""
    steps = [Step(**step) for step in data["steps"]]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    text = environment.from_string(TEMPLATE.read_text("utf-8")).render(
        steps=steps, **{name: data[name] for name in ("machine", "seconds", "scenarios", "per_second")}
    )
    return {
        DOCUMENT: text,
        FOLDER / "rate.svg": plot("What users got done", "a second", steps, "rate"),
        FOLDER / "p99.svg": plot("How long 99 of 100 waited at most", "ms", steps, "p99", log=True),
    }


def plot(title: str, unit: str, steps: list[Step], figure: str, *, log: bool = False) -> str:
    """A line for each scenario, over the number of users."""
    series = [
        Series(name, [(step.users, getattr(step, figure)) for step in steps if step.scenario == name], colour)
        for colour, name in enumerate(dict.fromkeys(step.scenario for step in steps))
    ]
    return lines(title, USERS, Axis(unit, log=log, zero=not log), series)


def stale(data: dict[str, Any]) -> list[Path]:
    """What is not as it would be written."""
    made = rendered(data)
    return [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]


def write(data: dict[str, Any]) -> None:
    """Write everything."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in rendered(data).items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.load.report", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    if parser.parse_args().check:
        sys.exit("\n".join(f"out of date: {path.relative_to(ROOT)}" for path in stale(results())))
    write(results())
