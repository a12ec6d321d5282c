"""docs/evolution.md: what it shows is what happens, and its table is the rules."""

from __future__ import annotations

import ast
import asyncio
import re
import tomllib
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from capnweb_gen.cli.breaking import breaking
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.evolution.allowed import Breaking
from capnweb_gen.evolution.rules import BY_ID
from capnweb_runtime.schema import Unknown
from capnweb_runtime.testing import pair
from tests.gen.breaking_cases import module_of
from tests.gen.cli.repository import SETTINGS, committed
from tests.gen.conftest import Write
from tests.gen.update_breaking import DOCUMENT, document
from tests.needs import needs_git

TEXT = DOCUMENT.read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SHELL = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)


def test_the_table_is_that_of_the_rules() -> None:
    assert document() == TEXT, "to accept it: python -m tests.gen.update_breaking"


@needs_git
def test_the_first_example_says_what_is_shown(project: Write) -> None:
    settings = SETTINGS.format("schemas")
    folder = project({"pyproject.toml": settings, "schemas/__init__.py": "", "schemas/shop.py": PYTHON[0]})
    committed(folder)
    (folder / "schemas/shop.py").write_text(PYTHON[1], "utf-8")
    command, shown = SHELL[0].split("\n", 1)
    result = CliRunner().invoke(main, command.split()[2:])
    assert result.exit_code == 1
    assert result.stdout + result.stderr == shown


def test_the_example_of_a_snapshot_does_what_is_shown(project: Write) -> None:
    project({"pyproject.toml": SETTINGS.format("schemas"), "schemas/__init__.py": "", "schemas/orders.py": PYTHON[2]})
    said = ""
    for line in SHELL[1].splitlines():
        if line.startswith("$ "):
            assert said == ""
            result = CliRunner().invoke(main, line.split()[2:])
            assert result.exit_code == 0
            said = result.output
        else:
            assert said == f"{line}\n"
            said = ""
    assert said == ""


def test_what_is_shown_of_open_types_happens(project: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project({"schemas/__init__.py": "", "schemas/orders.py": PYTHON[2]})
    compiled = compile_schemas([folder / "schemas"], "capnweb-gen")
    assert compiled.diagnostics == ()
    made = module_of("made_of_orders", compiled.files["orders.py"])
    voucher = Unknown({"kind": "voucher", "code": "A7"})
    paid: list[Any] = []
    methods = {
        "state": lambda self, number: Unknown("sent"),
        "payment": lambda self, number: voucher,
        "pay": lambda self, number, payment: paid.append(payment),
    }
    asyncio.run(_run(PYTHON[3], made, type("Orders", (made.OrdersTarget,), methods)()))
    assert capsys.readouterr().out.splitlines() == re.findall(r"print\(.*\)  # (.*)", PYTHON[3])
    assert paid == [voucher]


async def _run(example: str, made: ModuleType, target: Any) -> None:
    async with pair(target, made.OrdersStub) as orders:
        code = compile(example, "docs/evolution.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, {"orders": orders, "State": made.State})


def test_every_option_is_described_and_every_one_that_is_described_is_there() -> None:
    described = set(re.findall(r"^\| `(--[a-z]+)", TEXT, re.MULTILINE))
    assert described == {name for parameter in breaking.params for name in parameter.opts if name.startswith("--")}
    for options in re.findall(r"capnweb-gen breaking (--[^`\n]*)", TEXT):
        for option in re.findall(r"--\S+", options):
            assert option in described


def test_the_settings_that_are_shown_are_understood() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    settings = tomllib.loads(shown)["tool"]["capnweb-gen"]["breaking"]
    (entry,) = Breaking.model_validate(settings).allow
    assert entry.rule in BY_ID
    assert entry.reason
