"""What type checkers make of generated/: the modules beside this one are correct, and wrong where they say so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
READ = sorted(path for path in HERE.glob("*.py") if not path.name.startswith(("test_", "__")))


def test_mypy_infers_what_is_asserted_and_refuses_what_is_wrong() -> None:
    files = [str(path.relative_to(ROOT)) for path in READ]
    # --strict reports an ignore comment that hides no error.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *files, "generated", "schemas"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout + found.stderr == ""


def test_pyright_infers_what_is_asserted_and_refuses_what_is_wrong() -> None:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(HERE)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert found["summary"]["filesAnalyzed"] >= len(READ)
    faults = [
        f"{fault['file']}:{fault['range']['start']['line'] + 1}: {fault['message']}"
        for fault in found["generalDiagnostics"]
    ]
    assert faults == []


def test_there_is_something_to_refuse_on_both_sides() -> None:
    for path in READ:
        assert path.read_text("utf-8").count("# type: ignore[") >= 5
