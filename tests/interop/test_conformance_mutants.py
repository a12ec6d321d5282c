"""The conformance client finds faults: servers with one fault each fail the checks that are about it."""

from __future__ import annotations

import logging

import pytest

from examples.conformance import checks
from examples.conformance.checks import base
from examples.conformance.checks.base import CHECKS, Check, Ground
from examples.conformance.client import run, why_not
from examples.conformance.target import Main
from tests.interop.conformance_mutants import MUTANTS, Mutant, serving

NAMED = {check.name: check for check in CHECKS}
assert checks.__all__, "importing the package registers its checks"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Faulty servers fail, which is no news, and some things never happen, for which nobody waits long."""
    caplog.set_level(logging.CRITICAL, "capnweb_runtime")
    monkeypatch.setattr(base, "TRIES", 60)


def chosen(mutants: list[Mutant]) -> list[Check]:
    return [NAMED[name] for name in dict.fromkeys(name for mutant in mutants for name in mutant.found_by)]


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
async def test_fault_is_found(mutant: Mutant) -> None:
    async with mutant.running() as (ws, http):
        missed = [
            check.name for check in chosen([mutant]) if await why_not(check, Ground(ws, http, check.transport)) is None
        ]
    assert missed == []


async def test_a_sound_server_passes_what_finds_the_faults() -> None:
    async with serving(Main) as (ws, http):
        wrong = {check.name: await why_not(check, Ground(ws, http, check.transport)) for check in chosen(MUTANTS)}
    assert {name: why for name, why in wrong.items() if why is not None} == {}


async def test_a_fault_is_reported_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == "rounds numbers"]
    sound, faulty = NAMED["properties are read, and a property can be an object (WebSocket)"], chosen([mutant])[0]
    async with mutant.running() as (ws, _):
        assert await run(ws, [sound, faulty]) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == f"ok 1 {sound.name}"
    assert second.startswith(f"not ok 2 {faulty.name}: Wrong: got 1.0, not 2.25")
    assert last == "1 passed, 1 failed"
