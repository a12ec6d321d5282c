"""Declaration files: what TypeScript infers is read as if it were declared, and told where its source stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_gen.frontends.typescript.decisions import Options
from capnweb_gen.frontends.typescript.reader import Read, read_typescript
from capnweb_gen.frontends.typescript.tsc import NoCompilerError, emit, find_compiler
from tests.needs import TYPESCRIPT, needs_node_typescript

INFERRED = """\
import { RpcTarget } from "capnweb";
import { first } from "./other";

export class Notes extends RpcTarget {
  /** Counts. */
  count() {
    return 1;
  }
  get owner() {
    return { name: "Ada", admin: true };
  }

  async list() {
    return [first()];
  }
  map() { return new Map<string, string>(); }
}
"""
OTHER = "export interface Note { text: string; at?: Date }\nexport function first(): Note { return { text: '' }; }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which npm packages are found."""
    (tmp_path / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path, text: str) -> Read:
    (folder / "notes.ts").write_text(text)
    (folder / "other.ts").write_text(OTHER)
    out = folder / "out"
    out.mkdir()
    emitted = emit([folder / "notes.ts"], out)
    assert emitted.faults == []
    return read_typescript(emitted.files, "schemas", Options(tsc=True), emitted.sources)


@needs_node_typescript
def test_what_is_inferred_is_read(folder: Path) -> None:
    found = read(folder, INFERRED.replace("  map() { return new Map<string, string>(); }\n", ""))
    assert found.faults == ()
    notes, other = found.schemas
    assert [schema.path for schema in found.schemas] == ["notes.ts", "other.ts"]
    (interface,) = notes.interfaces
    assert [member.name for member in interface.members] == ["count", "owner", "list"]
    assert interface.members[0].doc == "Counts."
    assert [model.name for model in notes.models + other.models] == ["Owner", "Note"]


@needs_node_typescript
def test_what_is_told_stands_where_its_source_does(folder: Path) -> None:
    found = read(folder, INFERRED)
    (fault,) = found.faults
    assert (fault.file, fault.line, fault.column) == ("notes.ts", 16, 3)
    assert INFERRED.splitlines()[fault.line - 1].startswith("  map()")
    assert {(one.file, one.line) for one in found.decisions} == {("notes.ts", 9), ("other.ts", 1)}


@needs_node_typescript
def test_errors_of_syntax_are_told_as_the_compiler_does(folder: Path) -> None:
    (folder / "notes.ts").write_text("export class X { a(: }")
    (folder / "out").mkdir()
    emitted = emit([folder / "notes.ts"], folder / "out")
    assert [(fault.file, fault.line, fault.column) for fault in emitted.faults] == [
        ("notes.ts", 1, 20),
        ("notes.ts", 1, 22),
    ]
    assert "tsc: Parameter declaration expected. (TS1138)" in emitted.faults[0].message


@needs_node_typescript
def test_declaration_files_are_left_as_they_are(folder: Path) -> None:
    (folder / "api.d.ts").write_text("export interface Api { get(): string }")
    emitted = emit([folder / "api.d.ts"], folder)
    assert (emitted.files, emitted.sources, emitted.faults) == ([folder / "api.d.ts"], {}, [])


def test_a_compiler_that_is_missing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoCompilerError, match="--tsc needs the TypeScript compiler: npm install"):
        find_compiler([tmp_path / "api.ts"])
