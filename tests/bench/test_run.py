"""The run as a whole notes what fails, rounds what it writes, and is silent about the machine's owner."""

from __future__ import annotations

import argparse
import io

import pytest
from rich.console import Console

from tests.bench import run
from tests.bench.processes import ROOT, MeasureError
from tests.bench.progress import Steps


def test_figures_are_written_with_five_digits() -> None:
    assert run.rounded([{"rate": 12345.678, "n": 3, "of": ["x", 0.0000123456]}]) == [
        {"rate": 12346.0, "n": 3, "of": ["x", 0.000012346]}
    ]


def test_measurement_that_fails_gives_what_stands_for_it() -> None:
    said = io.StringIO()

    def lost() -> list[int]:
        raise MeasureError("the client: lost")

    assert run.guarded(Steps(Console(file=said)), "starting", lost, [0]) == [0]
    assert "starting: failed: the client: lost" in said.getvalue()


def test_steps_are_plain_lines_where_there_is_no_terminal() -> None:
    said = io.StringIO()
    with Steps(Console(file=said)) as steps:
        steps.phase("round 1", 2)
        steps.step("a [bold]npm[/bold]")
    assert said.getvalue() == "     0 s  round 1: a [bold]npm[/bold]\n"


def test_steps_are_a_bar_on_a_terminal() -> None:
    said = io.StringIO()
    with Steps(Console(file=said, force_terminal=True, width=100)) as steps:
        steps.phase("round 1", 2)
        steps.step("a npm")
        steps.step("b64 npm")
    assert "2/2" in said.getvalue()
    assert "b64 npm" in said.getvalue()


def test_machine_and_versions_name_no_folder() -> None:
    said = {**run.machine(), **run.versions()}
    assert {"Processor", "Memory", "System", "Python", "capnweb-gen", "Node", "npm capnweb"} <= set(said)
    assert not any(str(ROOT) in value for value in said.values())


@pytest.mark.parametrize(
    ("scale", "expected"), [(1.0, "`make bench`"), (0.05, "`python -m tests.bench.run --scale 0.05`")]
)
def test_command_is_the_one_that_does_the_same_again(scale: float, expected: str) -> None:
    assert run.command(argparse.Namespace(scale=scale)) == expected
