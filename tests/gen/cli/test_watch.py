"""Watching: a run for each change, of the schemas and of what they import, and whenever something that was missing
appears. Waiting is where the tests edit files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from capnweb_gen.cli.generate import once
from capnweb_gen.cli.job import Job
from capnweb_gen.cli.outputs import Output
from capnweb_gen.cli.watch import watch
from tests.gen.conftest import Write

API = (
    "from typing import Protocol\nfrom w_{n}.parts import Part\nclass Api(Protocol):\n    def get(self) -> Part: ...\n"
)
PARTS = "from pydantic import BaseModel\nclass Part(BaseModel):\n    {field}: int\n"

Step = Callable[[], object]


class Steps:
    """What happens between looks at the files; after the last, Ctrl-C. How long a look would wait is no matter."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)

    def __call__(self, seconds: float = 0) -> None:
        if not self._steps:
            raise KeyboardInterrupt
        self._steps.pop(0)()


def nothing() -> None:
    pass


def run(root: Path, name: str, *steps: Step) -> list[str]:
    said: list[str] = []
    job = Job((root / name / "api.py",), (Output(root / "generated"),))
    watch(job.schemas, lambda: once(job), say=said.append, wait=Steps(*steps))
    return said


@pytest.fixture
def files(project: Write) -> Path:
    return project({})


def make(root: Path, n: int) -> str:
    name = f"w_{n}"
    (root / name).mkdir()
    (root / name / "__init__.py").touch()
    (root / name / "api.py").write_text(API.format(n=n))
    (root / name / "parts.py").write_text(PARTS.format(field="one"))
    return name


def test_without_changes_it_runs_once(files: Path) -> None:
    name = make(files, 1)
    assert run(files, name, nothing, nothing) == ["stopped watching"]
    assert (files / "generated/api.py").exists()


def test_a_change_of_the_schema_is_compiled(files: Path) -> None:
    name = make(files, 2)
    schema = files / name / "api.py"
    more = "    def put(self, part: Part) -> None: ...\n"
    said = run(files, name, nothing, lambda: schema.write_text(schema.read_text() + more), nothing)
    assert said == ["api.py changed", "stopped watching"]
    assert "def put(" in (files / "generated/api.py").read_text()


def test_a_change_of_what_the_schema_imports_is_compiled(files: Path) -> None:
    name = make(files, 3)
    parts = files / name / "parts.py"
    generated = files / "generated/parts.py"
    said = run(files, name, lambda: parts.write_text(PARTS.format(field="two")), nothing)
    assert said == ["parts.py changed", "stopped watching"]
    assert "def two(" in generated.read_text()
    assert "def one(" not in generated.read_text()


def test_faults_end_one_run_and_not_the_watch(files: Path) -> None:
    name = make(files, 4)
    schema = files / name / "api.py"
    good = schema.read_text()
    said = run(files, name, lambda: schema.write_text("class :"), nothing, lambda: schema.write_text(good + "\n"))
    assert said == ["api.py changed", "api.py changed", "stopped watching"]


def test_a_part_that_breaks_is_still_watched(files: Path) -> None:
    name = make(files, 5)
    parts = files / name / "parts.py"
    said = run(
        files, name, lambda: parts.write_text("raise OSError"), lambda: parts.write_text(PARTS.format(field="three"))
    )
    assert said == ["parts.py changed", "parts.py changed", "stopped watching"]
    assert "def three(" in (files / "generated/parts.py").read_text()


def test_a_part_that_is_broken_from_the_start_is_watched(files: Path) -> None:
    name = make(files, 9)
    parts = files / name / "parts.py"
    parts.write_text("class :")
    assert run(files, name, lambda: parts.write_text(PARTS.format(field="four"))) == [
        "parts.py changed",
        "stopped watching",
    ]
    assert "def four(" in (files / "generated/parts.py").read_text()


def test_a_new_file_in_a_folder_is_compiled(files: Path) -> None:
    name = make(files, 6)
    job = Job((files / name,), (Output(files / "generated"),))
    text = "from typing import Protocol\nclass New(Protocol):\n    def x(self) -> int: ...\n"
    said: list[str] = []
    watch(
        job.schemas,
        lambda: once(job),
        say=said.append,
        wait=Steps(lambda: (files / name / "new.py").write_text(text), (files / name / "new.py").unlink),
    )
    assert said == ["new.py changed", "new.py changed", "stopped watching"]
    assert not (files / "generated/new.py").exists()


def test_bytecode_is_written_as_before(files: Path) -> None:
    before = sys.dont_write_bytecode
    run(files, make(files, 7), nothing)
    assert sys.dont_write_bytecode == before


def test_the_option_goes_on_until_it_is_interrupted(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = make(files, 8)
    monkeypatch.setattr("time.sleep", Steps((files / name / "api.py").touch, nothing))
    result = CliRunner().invoke(main, [f"{name}/api.py", "--out", "generated", "--watch"])
    assert result.exit_code == 0
    assert result.stderr.endswith("stopped watching\n")


# ---- what is missing


ALONE = "from typing import Protocol\n{imports}\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def watched(argument: Path, generated: Path, *steps: Step) -> list[str]:
    said: list[str] = []
    job = Job((argument,), (Output(generated),))
    watch(job.schemas, lambda: once(job), say=said.append, wait=Steps(*steps))
    return said


def test_a_folder_is_compiled_when_it_appears(files: Path) -> None:
    folder = files / "above_10" / "w_10"
    said = watched(
        folder,
        files / "generated",
        nothing,
        folder.parent.mkdir,
        lambda: write(folder / "api.py", ALONE.format(imports="")),
        nothing,
    )
    assert said == ["api.py changed", "stopped watching"]
    assert (files / "generated/api.py").exists()


def test_a_file_is_compiled_when_it_appears(files: Path) -> None:
    schema = files / "w_11" / "api.py"
    said = watched(schema, files / "generated", nothing, lambda: write(schema, ALONE.format(imports="")), nothing)
    assert said == ["api.py changed", "stopped watching"]
    assert (files / "generated/api.py").exists()


def test_a_module_that_a_schema_imports_is_looked_for_until_it_appears(files: Path) -> None:
    write(files / "w_12/api.py", ALONE.format(imports="import elsewhere_12.part"))
    elsewhere = files / "elsewhere_12"
    said = watched(
        files / "w_12",
        files / "generated",
        nothing,
        lambda: write(elsewhere / "__init__.py"),
        nothing,
        lambda: write(elsewhere / "part.py", "raise OSError"),
        lambda: write(elsewhere / "part.py"),
        nothing,
    )
    appeared = ["elsewhere_12 appeared", "elsewhere_12.part appeared", "part.py changed"]
    assert said == [*appeared, "stopped watching"]
    assert (files / "generated/api.py").exists()


def test_a_dependency_that_is_installed_is_found(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = files / "lib" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.syspath_prepend(packages)
    write(files / "w_13/api.py", ALONE.format(imports="from dependency_13 import inner"))
    said = watched(
        files / "w_13",
        files / "generated",
        lambda: write(packages / "dependency_13/__init__.py", "from dependency_13 import inner"),
        lambda: write(packages / "dependency_13/inner.py"),
        nothing,
    )
    assert said == ["dependency_13 appeared", "dependency_13.inner appeared", "stopped watching"]
    assert (files / "generated/api.py").exists()


def test_what_a_run_could_do_without_is_not_looked_for(files: Path) -> None:
    optional = "try:\n    import optional_14\nexcept ImportError:\n    pass\n"
    write(files / "w_14/api.py", ALONE.format(imports=optional))
    assert watched(files / "w_14", files / "generated", lambda: write(files / "optional_14.py"), nothing) == [
        "stopped watching"
    ]


def test_no_finder_stays_behind(files: Path) -> None:
    before = list(sys.meta_path)
    run(files, make(files, 15), nothing)
    assert sys.meta_path == before


def test_an_output_that_cannot_be_written_ends_one_run_and_not_the_watch(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make(files, 16)
    write(files / "taken")
    steps = Steps(lambda: (files / "taken").unlink(), (files / name / "api.py").touch, nothing)
    monkeypatch.setattr("time.sleep", steps)
    result = CliRunner().invoke(main, [name, "--out", "taken/generated", "--watch"])
    assert result.exit_code == 0
    assert (files / "taken/generated/api.py").exists()


def test_wrong_usage_ends_the_watch(files: Path) -> None:
    name = make(files, 17)
    result = CliRunner().invoke(main, [name, "--out", "generated", "--backend", "nonsense", "--watch"])
    assert result.exit_code == 2
