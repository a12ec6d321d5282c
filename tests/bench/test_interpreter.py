"""The interpreter to measure with: how it was built is told, and a clearly faster one is taken."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.interpreter import MINOR, Build, candidates, fastest, probe

OWN = Build("/opt/python/bin/python3.11", "3.11.7", "GCC 12.2.0", "'--enable-shared'", 0.0083)


def test_an_interpreter_is_probed() -> None:
    found = probe(sys.executable)
    assert found is not None
    assert found.path == sys.executable
    assert found.version.startswith(MINOR)
    assert found.loop > 0
    assert found.version in str(found)
    assert found.optimisation in str(found)


def test_what_does_not_run_is_no_candidate(tmp_path: Path) -> None:
    assert probe(str(tmp_path / "python")) is None


def test_candidates_are_of_the_same_version() -> None:
    found = list(candidates())
    assert len(set(found)) == len(found)
    assert all(Path(path).name.startswith(f"python{MINOR}") for path in found)


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (OWN, "configured without optimisation"),
        (replace(OWN, configured="'--enable-optimizations' '--with-lto'"), "--enable-optimizations --with-lto"),
        (replace(OWN, configured="'--enable-optimizations'"), "configured with --enable-optimizations"),
        (replace(OWN, path="/usr/bin/python3.11", configured="'--with-dbmliborder=bdb:gdbm'"), "as Debian builds it"),
    ],
)
def test_what_the_configuration_tells_is_said(build: Build, told: str) -> None:
    assert told in build.optimisation


def test_another_build_is_taken_where_it_is_clearly_faster() -> None:
    slightly, clearly = replace(OWN, path="/a", loop=0.0080), replace(OWN, path="/b", loop=0.0060)
    assert fastest(OWN, []) is OWN
    assert fastest(OWN, [slightly]) is OWN
    assert fastest(OWN, [slightly, clearly]) is clearly
