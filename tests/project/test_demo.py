"""`make demo`'s program does what it claims, and says so in its last line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from capnweb_runtime.testing import PairFixture, Record
from examples.demo import __main__ as demo
from examples.demo.client import STEPS, Step
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.project.sources import ROOT


def test_demo_ends_with_ok_and_shows_every_step() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in {"FORCE_COLOR", "TTY_COMPATIBLE"}}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "demo: ok"
    assert done.stderr == ""
    assert "\x1b" not in done.stdout, "colour is for terminals"
    for step in STEPS:
        assert demo.code_of(step) in done.stdout.replace("\n    ", "\n")
        assert repr(step.result) in done.stdout


@pytest.mark.capnweb(no_leaks=True)
async def test_its_steps_take_their_round_trips_and_leave_nothing(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    accounts = Accounts()
    async with capnweb_pair(Front(accounts), PublicApiStub, plans=True) as api:
        for step in STEPS:
            before = capnweb_calls.round_trips
            assert await step.run(api, accounts) == step.result
            assert capnweb_calls.round_trips == before + step.round_trips


async def test_demo_fails_when_a_step_does_not_do_what_it_claims(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = STEPS[0]
    monkeypatch.setattr(demo, "STEPS", [Step(honest.run, honest.result, 7, honest.one_by_one, honest.http)])
    assert await demo.main() == 1
    assert "demo: 1 of 1 steps went wrong" in capsys.readouterr().out
