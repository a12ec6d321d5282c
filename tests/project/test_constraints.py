"""What our commands install is pinned, for every Python that is supported, without naming where it comes from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.sources import ROOT

CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
PEERS = ROOT / "tests" / "bench" / "peers"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture
def moved() -> ModuleType:
    spec = spec_from_file_location("moved", ROOT / ".ci" / "moved.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def required() -> list[Requirement]:
    project, builders = SETTINGS["project"], (ROOT / ".ci" / "build-requirements.txt").read_text("utf-8")
    texts = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
        *SETTINGS["build-system"]["requires"],
        *(line for line in builders.splitlines() if not line.startswith("#")),
    ]
    return [one for one in map(Requirement, texts) if one.name != project["name"]]


def pins(python: str) -> dict[str, str]:
    """Versions by name, as they hold for one Python."""
    found = {}
    for line in CONSTRAINTS.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate({"python_version": python, "python_full_version": f"{python}.1"}):
            found[one.name] = str(one.specifier).removeprefix("==")
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_everything_that_is_installed_is_pinned_within_its_range(python: str) -> None:
    pinned = pins(python)
    for wanted in required():
        if wanted.marker is None or wanted.marker.evaluate():
            name = canonicalize_name(wanted.name)
            assert name in pinned, f"{wanted.name} is not in {CONSTRAINTS.name}; run: make lock"
            assert pinned[name] in wanted.specifier, f"{wanted} is not {pinned[name]}; run: make lock"


def test_the_pythons_are_those_that_the_package_is_for() -> None:
    named = [line.rpartition(" :: ")[2] for line in SETTINGS["project"]["classifiers"] if " :: Python :: 3." in line]
    assert tuple(named) == PYTHONS


@pytest.mark.parametrize("path", [CONSTRAINTS, PEERS / "constraints.txt"], ids=["ours", "peers"])
def test_pins_are_exact_and_name_no_host(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[^\s@/]+( ; .*)?", line), line


def test_the_peers_that_are_measured_are_pinned() -> None:
    pinned = (PEERS / "constraints.txt").read_text("utf-8").splitlines()
    wanted = (PEERS / "requirements.txt").read_text("utf-8").splitlines()
    assert {line for line in wanted if not line.startswith("#")} <= set(pinned)


def test_every_installation_of_the_makefile_is_pinned_but_that_of_the_newest() -> None:
    recipe = ""
    for line in (ROOT / "Makefile").read_text("utf-8").splitlines():
        if re.match(r"^\S+:", line):
            recipe = line.partition(":")[0]
        if line.startswith("\t") and "$(PIP)" in line:
            assert recipe == "test-latest", line


def test_what_moved_is_told_by_name_with_both_versions(moved: ModuleType) -> None:
    wanted = moved.pinned("# made\nsome-name==1.0 ; python_version < '3.12'\nother==2\n")
    assert wanted == {"some-name": "1.0", "other": "2"}
    lines = list(moved.moved({"some-name": "1.1", "other": "2", "third": "3", "pip": "1"}, wanted))
    assert [line.split() for line in lines] == [["some-name", "1.0", "->", "1.1"], ["third", "new", "->", "3"]]


def test_the_comparison_runs_anywhere_and_never_fails() -> None:
    done = subprocess.run([sys.executable, str(ROOT / ".ci" / "moved.py")], capture_output=True, text=True, check=True)
    assert "since `make lock`" in done.stdout
