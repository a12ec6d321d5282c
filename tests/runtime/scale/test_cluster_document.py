"""docs/scale.md on objects with one owner: what it shows is so."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

from capnweb_runtime.scale import Cluster
from capnweb_runtime.scale.cluster import gate

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/scale.md").read_text("utf-8")
SECTION = re.split(r"\n## ", TEXT.partition("\n## Objects with one owner")[2])[0]


def test_the_workers_that_are_shown_print_what_is_said(tmp_path: Path) -> None:
    programs: list[tuple[str, str]] = re.findall(r"```python\n# (\S+)\n(.*?)```", SECTION, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", SECTION, re.DOTALL)
    for name, program in programs:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(program, "utf-8")
    (tmp_path / "schemas" / "__init__.py").touch()

    def run(*command: str) -> str:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    assert run("-W", "error", "workers.py") == printed
    run("-m", "mypy", "--strict", "--no-error-summary", "workers.py")


def test_the_settings_that_are_shown_are_the_defaults() -> None:
    defaults = {name: given.default for name, given in inspect.signature(Cluster).parameters.items()}
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", SECTION, re.MULTILINE))
    assert rows.keys() <= defaults.keys()
    assert f"{defaults['ttl']:g}" == rows["ttl"]
    assert all(defaults[name] is None for name in rows if name != "ttl")
    assert f"there may be {gate._STRANGERS} at a time" in SECTION.replace("\n", " ")
    assert gate.HELLO_SECONDS == 5.0
    assert "has five seconds" in SECTION.replace("\n", " ")
