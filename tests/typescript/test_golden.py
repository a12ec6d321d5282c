"""What is made of every golden case of the compiler, and of schemas at random, before the compiler and the linter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from capnweb_gen import ir
from capnweb_gen.backends.typescript import generate
from capnweb_gen.compiler import compile_schemas
from tests.gen.golden_cases import GOLDEN
from tests.gen.random_schemas import RandomSchema, schemas
from tests.needs import needs_node_typescript
from tests.typescript.node import eslint, prepare, tsc

pytestmark = needs_node_typescript

MANY = settings(
    max_examples=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
RECURSIVE = """
from typing import Annotated, Literal, Protocol
from annotated_types import MaxLen
from pydantic import BaseModel, RootModel

class Names(RootModel["dict[str, Names] | None"]): pass
class Sides(RootModel["list[dict[Literal['left', 'right'], Sides]]"]): pass
class Deep(RootModel["Annotated[list[Deep], MaxLen(3)]"]): pass
class One(BaseModel):
    other: "Other | None" = None
class Other(BaseModel):
    ones: dict[str, list[One]] = {}
    rest: "tuple[Other, ...]" = ()

class Api(Protocol):
    async def all(self, names: Names, sides: Sides, deep: Deep) -> One: ...
"""
ODD_NAMES = """
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Any, NewType, Protocol
from pydantic import BaseModel
from capnweb_runtime.schema import raises, wire_name

Number = NewType("Number", int)
class Record(BaseModel):
    delete: int = 0
class Date(BaseModel):
    größe: "Größe | None" = None
class Größe(BaseModel):
    π: float
class Symbol(Enum):
    URL = "a"
    in_ = "b"
class Flags(IntFlag):
    A = 1
    B = 2
class Parameters(BaseModel, extra="allow"):
    new: int
class T(BaseModel):
    x: dict[Flags, "T"] = {}
@dataclass
class Omitted(Exception):
    errors_: str
@wire_name("WeakRef")
@dataclass
class Error(Exception):
    message: str
    code: Symbol = Symbol.URL
class Promise(Protocol):
    @property
    def get(self) -> Record: ...
    def set(self, arguments: Date, eval: Number = Number(3)) -> "Omit": ...
    def new(self, /, this: Any, new: T, default: Parameters) -> Flags: ...
    def static(self, options: int, *, yield_: Symbol = Symbol.URL, new: int) -> "Promise": ...
    def readonly(self) -> int: ...
    def delete(self, is_: "connect") -> "Promise | None": ...
    @raises(Error, Omitted)
    def async_(self) -> None: ...
    @wire_name("größe")
    def size(self) -> int: ...
    @wire_name("then")
    def then_(self) -> int: ...
class Omit(Promise, Protocol): ...
class connect(Protocol):
    def __call__(self, connect: "connect", *, this: int = 0) -> "Omit": ...
class Partial(Protocol): ...
class RpcStub(Partial, Protocol): ...
"""

OPEN_USE = """
import type { RpcStub } from "capnweb";
import { Colour, type Drawing, type Stock, type Studio } from "./schema.js";

export const none: Stock = { best: null, left: {} };
export const drawing: Drawing = {
  colour: Colour.RED,
  shapes: [{ kind: "circle", radius: 1 }, { kind: "star", points: 5 }],
};

export async function use(studio: RpcStub<Studio>): Promise<number> {
  const stock: Stock = { best: "green", left: { red: 1, green: 2 } };
  const back = await studio.stock(stock, { colour: "blue" });
  const red: number | undefined = back.left.red;
  const green: number | undefined = back.left["green"];
  const best: string = back.best ?? "none";
  const painted: string = await studio.paint("mauve");
  return (red ?? 0) + (green ?? 0) + best.length + painted.length;
}
"""


def golden() -> Iterator[tuple[str, tuple[ir.Schema, ...]]]:
    """The name of each case that compiles, and its schemas, also if only a newer Python can read them."""
    for path in sorted(GOLDEN.glob("*/ir.json")):
        document = json.loads(path.read_text("utf-8"))
        listed = document if isinstance(document, list) else [document]
        yield path.parent.name, tuple(map(ir.Schema.model_validate, listed))


@pytest.mark.parametrize("validate", [False, True])
def test_strict_typescript_and_the_linter_accept_every_golden_case(tmp_path: Path, validate: bool) -> None:
    files = {
        f"{case}/{path}": text
        for case, found in golden()
        for path, text in generate(found, "capnweb-gen", validate=validate).items()
    }
    assert len(files) > 50
    folder = prepare(tmp_path, files)
    assert tsc(folder) == ""
    assert eslint(folder) == ""


def test_values_of_later_versions_are_written_and_read_where_types_are_open(tmp_path: Path) -> None:
    found = dict(golden())["open_types"]
    folder = prepare(tmp_path, {**generate(found, "capnweb-gen"), "use.ts": OPEN_USE})
    assert tsc(folder) == ""


def test_both_would_tell_a_fault(tmp_path: Path) -> None:
    folder = prepare(tmp_path, {"wrong.ts": 'export const number: number = "text";\nexport interface Empty {}\n'})
    assert "wrong.ts(1,14): error TS2322" in tsc(folder)
    assert "no-empty-object-type" in eslint(folder)


def test_strict_typescript_accepts_schemas_at_random(tmp_path: Path) -> None:
    found: list[RandomSchema] = []

    @seed(20261127)
    @MANY
    @given(schemas())
    def collect(schema: RandomSchema) -> None:
        found.append(schema)

    collect()
    source = tmp_path / "random_schemas"
    source.mkdir()
    (source / "__init__.py").touch()
    for index, schema in enumerate(found):
        (source / f"api{index}.py").write_text(schema.text, "utf-8")
    compiled = compile_schemas([source], "capnweb-gen", generate)
    assert compiled.diagnostics == ()
    folder = prepare(tmp_path / "checked", compiled.files)
    assert tsc(folder) == "", "\n".join(schema.text for schema in found)


def test_models_that_hold_themselves_compile(tmp_path: Path) -> None:
    source = tmp_path / "recursive.py"
    source.write_text(RECURSIVE, "utf-8")
    compiled = compile_schemas([source], "capnweb-gen", generate)
    assert compiled.diagnostics == ()
    assert tsc(prepare(tmp_path / "checked", compiled.files)) == ""


@pytest.mark.parametrize("validate", [False, True])
def test_names_that_typescript_keeps_for_itself_give_way(tmp_path: Path, validate: bool) -> None:
    source = tmp_path / f"odd_names_{validate}.py".lower()
    source.write_text(ODD_NAMES, "utf-8")
    compiled = compile_schemas([source], "capnweb-gen", partial(generate, validate=validate))
    assert compiled.diagnostics == ()
    folder = prepare(tmp_path / "checked", compiled.files)
    assert tsc(folder) == ""
    assert eslint(folder) == ""
