"""`capnweb-gen from-typescript`: what is written when, and what is said. How it is read: tests/gen/frontends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from capnweb_gen.frontends.typescript import syntax
from tests.gen.conftest import Write

API = """\
export interface Book { title: string; year: number }
export interface Library { getBook(id: number): Promise<Book>; count(): Promise<{ all: number }> }
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["from-typescript", *arguments])


def generate(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


def test_schemas_are_written_and_compile(project: Write) -> None:
    root = project({"api.ts": API})
    result = run("api.ts", "--out", "schemas")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == (
        "wrote schemas/__init__.py\nwrote schemas/api.py\n"
        "api.ts:2:81: this type, which has no name, is called CountResult\n"
        "number is read as float; --numbers int reads it as int\n"
        "1 interface, 2 models; 1 decision to look at\n"
    )
    assert result.stdout == ""
    assert "async def get_book(self, id: float) -> Book: ..." in (root / "schemas/api.py").read_text()
    assert generate("schemas", "--out", "generated").exit_code == 0
    assert "class LibraryStub" in (root / "generated/api.py").read_text()


def test_a_second_run_has_nothing_to_do(project: Write) -> None:
    project({"api.ts": API})
    assert run("api.ts", "--out", "schemas").exit_code == 0
    assert run("api.ts", "--out", "schemas", "--quiet").output == ""


def test_numbers_may_be_whole(project: Write) -> None:
    root = project({"api.ts": API})
    assert "float" not in run("api.ts", "--out", "schemas", "--numbers", "int").stderr
    assert "async def get_book(self, id: int) -> Book: ..." in (root / "schemas/api.py").read_text()


def test_all_faults_are_told_and_nothing_is_written(project: Write) -> None:
    root = project({"api.ts": API + "export interface Bad { map(m: Map<string, string>): void; set(): Set<string> }\n"})
    result = run("api.ts", "--out", "schemas")
    assert result.exit_code == 1
    assert "api.ts:3:31: Map cannot travel [CW-051]\n" in result.stderr
    assert "api.ts:3:66: Set cannot travel [CW-051]\n" in result.stderr
    assert "2 faults; nothing was written" in result.stderr
    assert not (root / "schemas").exists()


def test_faults_are_told_as_json(project: Write) -> None:
    project({"api.ts": "export interface Bad { map(m: Map<string, string>): void }"})
    result = run("api.ts", "--out", "schemas", "--json")
    (fault,) = json.loads(result.stdout)["diagnostics"]
    assert (result.exit_code, fault["file"], fault["line"], fault["column"]) == (1, "api.ts", 1, 31)


def test_a_change_on_both_sides_is_shown_and_nothing_is_written(project: Write) -> None:
    root = project({"api.ts": API})
    assert run("api.ts", "--out", "schemas").exit_code == 0
    schema = root / "schemas/api.py"
    changed = schema.read_text().replace("year: float", "year: int")
    schema.write_text(changed)
    (root / "api.ts").write_text(API.replace("year: number", "year: number; pages: number"))
    result = run("api.ts", "--out", "schemas")
    assert result.exit_code == 1
    assert "-    year: int\n+    year: float\n+    pages: float\n" in result.stdout
    assert "Book was changed here, and would be written otherwise than before" in result.stderr
    assert schema.read_text() == changed

    kept = run("api.ts", "--out", "schemas", "--keep", "--quiet")
    assert "note: schemas/api.py: Book stays as you have written it\n" in kept.stderr
    assert "year: int" in schema.read_text()
    assert run("api.ts", "--out", "schemas", "--quiet").exit_code == 0
    assert run("api.ts", "--out", "schemas", "--replace", "--quiet").exit_code == 0
    assert "pages: float" in schema.read_text()


def test_a_dry_run_shows_the_difference_and_writes_nothing(project: Write) -> None:
    root = project({"api.ts": API})
    result = run("api.ts", "--out", "schemas", "--dry-run", "--quiet")
    assert "+++ b/schemas/api.py\n" in result.stdout
    assert not (root / "schemas").exists()


def test_a_file_of_the_users_own_is_left_alone(project: Write) -> None:
    root = project({"api.ts": API, "schemas/__init__.py": "", "schemas/api.py": "class Mine: ...\n"})
    result = run("api.ts", "--out", "schemas")
    assert result.exit_code == 1
    assert "this file was not written by from-typescript" in result.stderr
    assert (root / "schemas/api.py").read_text() == "class Mine: ...\n"


def test_a_file_that_is_not_python_is_left_alone(project: Write) -> None:
    root = project({"api.ts": API})
    assert run("api.ts", "--out", "schemas").exit_code == 0
    schema = root / "schemas/api.py"
    schema.write_text(broken := schema.read_text().replace("class Book", "class class"))
    result = run("api.ts", "--out", "schemas")
    assert result.exit_code == 1
    assert "api.py is not Python, and was left alone" in result.stderr
    assert schema.read_text() == broken


def test_the_ir_is_what_the_schema_would_be_compiled_to(project: Write) -> None:
    root = project({"api.ts": API})
    assert run("api.ts", "--out", "schemas").exit_code == 0
    assert run("api.ts", "--ir", "--out", "api.json", "--quiet").exit_code == 0
    assert run("api.ts", "--ir", "--out", "ir", "--quiet").exit_code == 0
    assert (root / "api.json").read_text() == (root / "ir/api.json").read_text()
    assert generate("api.json", "--out", "from_ir").exit_code == 0
    assert generate("schemas", "--out", "from_schema").exit_code == 0
    first, second = ((root / folder / "api.py").read_text() for folder in ("from_ir", "from_schema"))
    assert first.partition("from __future__")[2] == second.partition("from __future__")[2]


def test_ir_that_is_there_is_not_replaced_unasked(project: Write) -> None:
    root = project({"api.ts": API, "api.json": "[]\n"})
    result = run("api.ts", "--ir", "--out", "api.json")
    assert result.exit_code == 1
    assert "run with --replace to write it anew" in result.stderr
    assert (root / "api.json").read_text() == "[]\n"
    assert run("api.ts", "--ir", "--out", "api.json", "--replace").exit_code == 0


def test_models_are_imported_from_the_package_that_is_named(project: Write) -> None:
    root = project({"api.ts": API})
    assert run("api.ts", "--ir", "--out", "api.json", "--package", "app.shared").exit_code == 0
    assert json.loads((root / "api.json").read_text())[0]["module"] == "app.shared.api"
    assert run("api.ts", "--out", "schemas", "--package", "no-name").exit_code == 2


def test_a_missing_extra_is_one_line(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    project({"api.ts": API})
    syntax._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    result = run("api.ts", "--out", "schemas")
    syntax._parser.cache_clear()
    assert result.exit_code == 1
    assert result.stderr == ("Error: reading TypeScript needs tree-sitter: pip install 'capnweb-gen[typescript]'\n")


@pytest.mark.parametrize("name", ["missing.ts", "api.py", "folder"])
def test_what_is_no_typescript_is_refused(project: Write, name: str) -> None:
    root = project({"api.py": "", "folder/x.ts": API})
    result = run(name, "--out", "schemas")
    assert result.exit_code == 1
    assert f"{name}:1:1: this " in result.stderr
    assert not (root / "schemas").exists()


def test_a_folder_that_is_no_package_is_wrong_usage(project: Write) -> None:
    project({"api.ts": API})
    assert run("api.ts", "--out", "no-name").exit_code == 2


def test_five_thousand_lines_are_read(project: Write) -> None:
    many = "".join(
        f"export interface Thing{n} {{\n  id: number;\n  name?: string;\n  next: Thing{(n + 1) % 500} | null;\n}}\n"
        f"export interface Api{n} {{\n  get(id: number): Promise<Thing{n}>;\n"
        f"  put(thing: Thing{n}): Promise<void>;\n}}\n\n"
        for n in range(500)
    )
    root = project({"many.ts": many})
    assert many.count("\n") == 5000
    assert run("many.ts", "--out", "schemas", "--quiet").exit_code == 0
    assert (root / "schemas/many.py").read_text().count("(Protocol):") == 500


def test_the_documentation_of_the_command_names_its_options() -> None:
    text = run("--help").stdout
    assert all(f"--{name}" in text for name in ("out", "ir", "package", "tsc", "numbers", "keep", "replace", "dry-run"))


def test_the_schema_stays_where_it_is_when_it_is_read_from_elsewhere(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project({"web/api.ts": API, "pyproject.toml": ""})
    assert run("web/api.ts", "--out", "schemas", "--quiet").exit_code == 0
    text = (root / "schemas/api.py").read_text()
    monkeypatch.chdir(root / "web")
    assert run("api.ts", "--out", str(Path("..") / "schemas"), "--quiet").output == ""
    assert (root / "schemas/api.py").read_text() == text
