"""Folders that are no packages: told where their modules would be called otherwise if they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def told(*arguments: Path) -> list[str]:
    return [f"{warning.file}: {warning.message}" for warning in compile_schemas(arguments, "x").warnings]


def test_a_folder_inside_a_package_is_told_with_the_command_that_mends_it(project: Write) -> None:
    project({"pyproject.toml": "", "lib/n1/__init__.py": "", "lib/n1/schemas/api.py": API})
    result = CliRunner().invoke(main, ["lib/n1/schemas", "--out", "generated"])
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "lib/n1/schemas:1:1: warning: this folder has no __init__.py: lib.n1.schemas.api is n1.schemas.api as soon as "
        "it has one [CW-008]\n    hint: run: touch lib/n1/schemas/__init__.py\nwrote "
    )
    Path("lib/n1/schemas/__init__.py").touch()
    assert told(Path("lib/n1/schemas")) == []


def test_a_folder_is_told_when_it_is_compiled_from_inside(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project({"pyproject.toml": "", "n2/api.py": API, "n2/deep/other.py": API})
    assert told(root / "n2") == []
    monkeypatch.chdir(root / "n2")
    assert told(root / "n2") == [
        "n2: this folder has no __init__.py: api is n2.api as soon as it has one",
        "n2/deep: this folder has no __init__.py: deep.other is n2.deep.other as soon as it has one",
    ]


def test_a_folder_is_told_when_it_is_compiled_from_elsewhere(
    project: Write, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = project({"n3/api.py": API})
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert told(root / "n3/api.py") == ["n3: this folder has no __init__.py: api is n3.api as soon as it has one"]
    project({"pyproject.toml": ""})  # which says where names begin, from wherever it is compiled
    assert told(root / "n3/api.py") == []


def test_modules_beside_the_configuration_belong_to_no_package(project: Write) -> None:
    root = project({"api4.py": API})
    assert told(root / "api4.py") == []
    project({"pyproject.toml": ""})
    assert told(root / "api4.py") == []


def test_below_src_names_begin_there_whatever_is_a_package(project: Write) -> None:
    root = project({"pyproject.toml": "", "src/n5/__init__.py": "", "src/n5/schemas/api.py": API})
    assert told(root / "src/n5/schemas") == []


def test_it_is_told_beside_the_faults_that_may_come_of_it(project: Write) -> None:
    importing = "from n6.schemas.ids import Id\n" + API
    project(
        {
            "pyproject.toml": "",
            "lib/n6/__init__.py": "",
            "lib/n6/schemas/api.py": importing,
            "lib/n6/schemas/ids.py": "Id = int\n",
        }
    )
    result = CliRunner().invoke(main, ["lib/n6/schemas", "--out", "generated"])
    assert result.exit_code == 1
    assert "hint: run: touch lib/n6/schemas/__init__.py\n" in result.stderr
    assert "No module named 'n6'" in result.stderr
    as_json = CliRunner().invoke(main, ["lib/n6/schemas", "--out", "generated", "--json"])
    assert '"warnings": [{"file": "lib/n6/schemas"' in as_json.stdout
