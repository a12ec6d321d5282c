"""The cases of tests/gen/breaking: each a schema of then and one of now, and an exchange between their versions.

A folder is called like the rule that it is about, with underscores; what follows two of them is a variant. It has

    old.py, new.py      the schemas
    exchange.py         what a server of each version does, and what a client of each asks for
    exchange.mjs        the same for peers that check nothing
    expected.txt        what `capnweb-gen breaking --category code` says
    outcome.txt         what happens between the versions: generated code, then peers that check nothing
"""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

from capnweb_gen import ir, report
from capnweb_gen.cli import changes
from capnweb_gen.cli.past import Past
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.evolution.allowed import Judged
from capnweb_gen.evolution.compare import compare
from capnweb_gen.evolution.effects import Category, Direction
from capnweb_gen.evolution.findings import Finding
from capnweb_gen.frontends.ir_json import dump, read_ir
from capnweb_runtime.testing import pair
from tests.needs import INTEROP

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "breaking"
LENIENT = "peers that check nothing"
MEETINGS = (("old", "old"), ("new", "new"), ("old", "new"), ("new", "old"))


def cases() -> list[str]:
    """All cases, by name."""
    return sorted(path.parent.name for path in FOLDER.glob("*/old.py"))


def rule_of(case: str) -> str:
    """The id of the rule that a case is about."""
    return case.partition("__")[0].replace("_", "-")


@dataclass(frozen=True)
class Versions:
    """Both versions of a schema, compiled: the IR of each as that of one module, and the generated modules."""

    old: tuple[ir.Schema, ...]
    new: tuple[ir.Schema, ...]
    made: dict[str, ModuleType]


@cache
def versions(case: str) -> Versions:
    """Compile a case."""
    folder = FOLDER / case
    compiled = compile_schemas([folder / "old.py", folder / "new.py"], "capnweb-gen")
    assert not compiled.diagnostics, compiled.diagnostics
    found: dict[str, tuple[ir.Schema, ...]] = {}
    made: dict[str, ModuleType] = {}
    with TemporaryDirectory() as place:
        for schema in compiled.schemas:
            name = Path(schema.path).stem
            text = dump([schema]).replace(f'"{schema.module}"', '"api"')
            written = Path(place) / f"{name}.json"
            written.write_text(text, "utf-8")
            found[name], faults = read_ir([written])
            assert not faults, faults
            made[name] = module_of(f"made_of_{case}_{name}", compiled.files[schema.output])
    return Versions(found["old"], found["new"], made)


def module_of(name: str, text: str) -> ModuleType:
    """A module of this text."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, f"{name}.py", "exec"), vars(module))
    return module


@cache
def findings(case: str) -> tuple[Finding, ...]:
    """What has changed in a case."""
    both = versions(case)
    return compare(both.old, both.new)


def said(case: str) -> str:
    """What the command says of a case, told everything."""
    asked = changes.Asked(Category.CODE, Direction.BOTH)
    told = tuple(finding for finding in findings(case) if asked.tells(finding))
    printed = io.StringIO()
    with redirect_stdout(printed):
        changes.print_text(Judged(told, (), ()), asked, Past("then", (), (), _quote), report.Sources([ROOT]))
    return printed.getvalue() or "nothing has changed on the wire\n"


def _quote(file: str, line: int) -> str | None:
    return (ROOT / file).read_text("utf-8").splitlines()[line - 1]


# ---- exchanges


def checked_outcomes(case: str) -> dict[str, str]:
    """What happens between the versions of a case in generated code, by who meets whom."""
    exchange = importlib.import_module(f"tests.gen.breaking.{case}.exchange")
    made = versions(case).made
    there = {name: _there(importlib.import_module(f"tests.gen.breaking.{case}.{name}"), made[name]) for name in made}
    found: dict[str, str] = {}
    for client, server in MEETINGS:
        body: type[Any] = getattr(exchange, server.capitalize())
        given = {"schema": there[server], "targets": there[server].targets}
        serving = type("Api", (body, made[server].ApiTarget), given)
        meeting = _meeting(serving(), made[client].ApiStub, getattr(exchange, client), there[client])
        found[f"{client} client, {server} server"] = asyncio.run(meeting)
    return found


def _there(schema: ModuleType, made: ModuleType) -> SimpleNamespace:
    """What a schema declares, and a way to make targets of its interfaces from functions."""

    def maker(name: str) -> Callable[[dict[str, Any]], Any]:
        return lambda methods: type(name, (getattr(made, f"{name}Target"),), methods)()

    targets = {
        name.removesuffix("Target"): maker(name.removesuffix("Target"))
        for name in vars(made)
        if name.endswith("Target")
    }
    return SimpleNamespace(**{name: value for name, value in vars(schema).items() if name[0] != "_"}, targets=targets)


async def _meeting(target: Any, stub: Any, client: Callable[[Any, Any], Any], schema: Any) -> str:
    async with pair(target, stub) as api:
        try:
            return f"works: {json.dumps(await client(api, schema), default=str)}"
        except Exception as error:
            return f"fails: {type(error).__name__}: {error}"


@cache
def lenient_outcomes() -> dict[str, dict[str, str]]:
    """What happens between peers that check nothing, by case and by who meets whom."""
    folders = [str(FOLDER / case) for case in cases()]
    command = ["node", str(INTEROP / "lenient_versions.mjs"), *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read: dict[str, dict[str, str]] = json.loads(done.stdout)
    return read


def written(checked: dict[str, str], lenient: dict[str, str]) -> str:
    """The text of outcome.txt."""
    return "generated code\n" + _lines(checked) + f"\n{LENIENT}\n" + _lines(lenient)


def _lines(outcomes: dict[str, str]) -> str:
    return "".join(f"    {who}: {what}\n" for who, what in outcomes.items())
