"""`capnweb-gen init`: a project that works, and nothing overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN

ROOT = GOLDEN.parents[2]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def python(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_project_works(project: Write) -> None:
    root = project({})
    assert CliRunner().invoke(main, ["init", "shop"]).exit_code == 0
    python(root / "shop", "-m", "capnweb_gen.cli", "check")
    server = subprocess.Popen(
        [sys.executable, "-m", "shop.server", "0"],
        cwd=root / "shop",
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        assert python(root / "shop", "-m", "shop.client", url).split("\n") == ["HELLO, ADA!", "3", "2", "1", ""]
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_the_project_is_well_typed(project: Write) -> None:
    root = project({})
    assert CliRunner().invoke(main, ["init", "shop"]).exit_code == 0
    python(root / "shop", "-m", "mypy", "--strict", "--config-file=", ".")


@pytest.mark.any_python  # ruff is what knows
def test_the_project_is_formatted(project: Write) -> None:
    root = project({})
    assert CliRunner().invoke(main, ["init", "shop"]).exit_code == 0
    python(root / "shop", "-m", "ruff", "format", "--isolated", "--line-length", "120", "--check", ".")


def test_the_scaffold_of_the_server_adds_nothing(project: Write) -> None:
    root = project({})
    assert CliRunner().invoke(main, ["init", "shop"]).exit_code == 0
    before = (root / "shop/shop/server.py").read_text()
    python(root / "shop", "-m", "capnweb_gen.cli", "scaffold", "shop/schemas/greeter.py", "--out", "shop/server.py")
    assert (root / "shop/shop/server.py").read_text() == before


def test_files_that_are_there_are_kept(project: Write) -> None:
    root = project({"shop/pyproject.toml": "# mine\n", "shop/shop/server.py": "# mine too\n"})
    result = CliRunner().invoke(main, ["init", "shop"])
    assert result.exit_code == 0, result.output
    assert "kept pyproject.toml\nkept shop/server.py\n" in result.stderr
    assert 'pyproject.toml was kept; add to it:\n\n[tool.capnweb-gen]\nschemas = ["shop/schemas"]\n' in result.stderr
    assert (root / "shop/pyproject.toml").read_text() == "# mine\n"
    assert (root / "shop/shop/server.py").read_text() == "# mine too\n"
    assert (root / "shop/shop/generated/greeter.py").exists()


@pytest.mark.parametrize(
    ("folder", "package"),
    [("My Shop", "my_shop"), ("3d", "app_3d"), ("email", "email_app"), ("class", "class_app"), ("tests", "tests_app")],
)
def test_the_package_is_called_like_the_project_and_like_nothing_else(
    project: Write, folder: str, package: str
) -> None:
    root = project({})
    assert CliRunner().invoke(main, ["init", folder]).exit_code == 0
    assert (root / folder / package / "generated/greeter.py").exists()
    assert python(root / folder, "-c", f"import {package}.server, {package}.client") == ""


def test_twice_changes_nothing(project: Write) -> None:
    root = project({})
    CliRunner().invoke(main, ["init"])
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert after == before
