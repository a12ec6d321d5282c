"""Code that earlier compilers made: of the present API it runs on this runtime, of another one it is refused in words.

`snapshots/api_N` is what the first compiler of API N made of schemas/accounts.py; docs/versions.md has the promise.
A new API adds the snapshot of its first compiler, and keeps those before.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capnweb_runtime.codegen_api import GENERATED_API
from tests.project.sources import ROOT

SNAPSHOTS = sorted(
    (Path(__file__).parent / "snapshots").iterdir(), key=lambda path: int(path.name.removeprefix("api_"))
)
VERSIONS = ROOT / "docs" / "versions.md"


def api_of(snapshot: Path) -> int:
    found = re.search(r"^rpc\.require\((\d+)\)$", (snapshot / "generated" / "accounts.py").read_text("utf-8"), re.M)
    assert found
    return int(found[1])


def demo(folder: Path, snapshot: Path) -> subprocess.CompletedProcess[str]:
    """Runs today's demo on the code of a snapshot."""
    shutil.copytree(snapshot, folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "examples" / "demo", folder / "examples" / "demo")
    shutil.copy(ROOT / "examples" / "__init__.py", folder / "examples")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=folder,
        env=kept | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "snapshot", [one for one in SNAPSHOTS if api_of(one) == GENERATED_API], ids=lambda one: one.name
)
def test_code_of_the_first_compiler_of_this_api_serves_and_calls(snapshot: Path, tmp_path: Path) -> None:
    done = demo(tmp_path, snapshot)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("demo: ok\n")


@pytest.mark.parametrize(
    "snapshot", [one for one in SNAPSHOTS if api_of(one) != GENERATED_API], ids=lambda one: one.name
)
def test_code_of_another_api_is_refused_with_what_to_do(snapshot: Path, tmp_path: Path) -> None:
    done = demo(tmp_path, snapshot)
    assert done.returncode != 0
    assert f"generated for API {api_of(snapshot)}, the installed capnweb_runtime has API {GENERATED_API}" in done.stderr
    assert "generate it again with capnweb-gen" in done.stderr


def test_there_is_a_snapshot_of_this_api_and_of_the_one_before() -> None:
    assert {GENERATED_API - 1, GENERATED_API} <= {api_of(snapshot) for snapshot in SNAPSHOTS}
    assert all(snapshot.name == f"api_{api_of(snapshot)}" for snapshot in SNAPSHOTS)


def test_the_document_says_which_api_this_runtime_has() -> None:
    assert f"API {GENERATED_API}" in VERSIONS.read_text("utf-8")
