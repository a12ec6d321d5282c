"""The repository holds what was agreed: the top level, no registry hosts, no paths of somebody's machine."""

from __future__ import annotations

import ast
import json
import re

import pytest

from tests.project.sources import COMPILED, ROOT, name, parse, project_files

TOP_LEVEL = {
    *("pyproject.toml", "capnweb_gen", "capnweb_runtime", "schemas", "generated", "tests", "examples", "README.md"),
    *("Makefile", ".ci", ".gitignore", ".editorconfig", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "docs"),
    *(".github", ".pre-commit-config.yaml", ".readthedocs.yaml"),  # who reads them looks for them there
}
BINARY = {".png", ".ico", ".gz", ".whl", ".bin"}

# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a registry host": re.compile(
        "|".join(["registry" + r"\.npmjs\.", "files" + r"\.pythonhosted\.", "pypi" + r"\.org/simple"])
    ),
    "a registry setting": re.compile(
        "|".join(["--(extra-)?ind" + "ex-url", '"resol' + r'ved"\s*:\s*"', "^regis" + r"try\s*="])
    ),
    "a path of somebody's machine": re.compile(
        r"(?<![\w.])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/\\w+", "Us" + "ers/\\w+"]) + ")/"
    ),
}


def test_top_level_entries_are_the_agreed_ones() -> None:
    entries = {path.relative_to(ROOT).parts[0] for path in project_files()}
    assert entries <= TOP_LEVEL, f"outside the agreed layout: {sorted(entries - TOP_LEVEL)}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = []
    for path in project_files():
        if path.suffix in BINARY:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{name(path)}:{number}: {line.strip()[:100]}")
    assert not found, f"{what}:\n" + "\n".join(found)


def test_npm_lock_file_pins_the_reference_exactly() -> None:
    folder = ROOT / "tests" / "interop"
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert wanted["capnweb"] == "0.12.0"
    assert {package: locked[f"node_modules/{package}"]["version"] for package in wanted} == wanted


def test_every_python_file_opens_by_saying_what_it_is_for() -> None:
    python = [path for path in project_files() if path.suffix == ".py" and not COMPILED & set(path.parts)]
    silent = [name(path) for path in python if (tree := parse(path)).body and not ast.get_docstring(tree)]
    assert not silent, "no docstring at the top of: " + ", ".join(silent)
