"""docs/from-typescript.md: its example is what the command makes, and every row of its tables is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from capnweb_gen.cli.from_typescript import faults_of, printed
from capnweb_gen.frontends.typescript.reader import read_typescript
from tests.gen.conftest import Write
from tests.gen.update_gallery import ROOT

TEXT = (ROOT / "docs/from-typescript.md").read_text("utf-8")
BOOK = 'import { RpcStub, RpcTarget } from "capnweb";\ninterface Book { title: string; pages?: number }\n'


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose heading is this."""
    rows = TEXT.partition(f"\n{heading}\n")[2].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def written(cell: str) -> list[str]:
    """The pieces of code in a cell."""
    return [(first or second).strip() for first, second in re.findall(r"``\s(.+?)\s``|`([^`]+)`", cell)]


TYPES = [(kind, written(row[1])[0]) for row in table("| TypeScript | Python |") for kind in written(row[0])]
REFUSED = [
    (kind, row[1], row[2]) for row in table("| TypeScript | because | write instead |") for kind in written(row[0])
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_the_example_is_what_the_command_makes(project: Write) -> None:
    (source, _), (schema,), (said,), (commands,) = blocks("ts"), blocks("python"), blocks("text"), blocks("sh")
    root = project({"api.ts": source, "pyproject.toml": ""})
    for command in commands.splitlines():
        program, *arguments = command.split()
        if program == "capnweb-gen":
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 0, done.output
            if arguments[0] == "from-typescript":
                assert done.stderr == said
    made = (root / "schemas/api.py").read_text()
    assert made.partition("\n\n\n# What from-typescript wrote")[0] + "\n" == schema.partition("\n")[2]


@pytest.mark.parametrize(("kind", "python"), TYPES)
def test_a_type_is_read_as_the_table_says(tmp_path: Path, kind: str, python: str) -> None:
    (tmp_path / "api.ts").write_text(f"{BOOK}export interface Api {{ test(): {kind} }}\n")
    read = read_typescript([tmp_path / "api.ts"], "schemas")
    assert faults_of(read) == ()
    ((_, module),) = printed(read)
    (signature,) = re.findall(r"async def test\(self\) -> (.+): \.\.\.$", module.text, re.MULTILINE)
    assert signature == python


ERRORS = TEXT.partition("Exceptions are declared in comments")[2].partition("```ts\n")[2].partition("```")[0]
THROWS = [
    (comment, written(row[1]), row[2])
    for row in table("| the comment on a method | above it in Python | what is told |")
    for comment in written(row[0])
]


@pytest.mark.parametrize(("comment", "decorators", "told"), THROWS)
def test_what_a_method_throws_is_read_as_the_table_says(
    tmp_path: Path, comment: str, decorators: list[str], told: str
) -> None:
    method = f"/** {comment} */ test(): Book"
    (tmp_path / "api.ts").write_text(f"{BOOK}{ERRORS}export interface Api {{ {method} }}\n")
    read = read_typescript([tmp_path / "api.ts"], "schemas")
    assert faults_of(read) == ()
    ((_, module),) = printed(read)
    assert re.findall(r"^    (@.+)\n    async def test\(", module.text, re.MULTILINE) == decorators
    said = [decision.text for decision in read.decisions if decision.text.partition(" is ")[0] != "Book"]
    said = [text for text in said if not text.startswith("no method says")]
    assert all(told in text for text in said)
    assert bool(said) == bool(told)


def test_exceptions_are_written_as_is_shown(tmp_path: Path) -> None:
    thrown = "/** @throws {NotFound | Closed} */ test(): void"
    (tmp_path / "api.ts").write_text(f"{BOOK}{ERRORS}export interface Api {{ {thrown} }}\n")
    ((_, module),) = printed(read_typescript([tmp_path / "api.ts"], "schemas"))
    (shown,) = blocks("py")
    assert shown in module.text


@pytest.mark.parametrize(("kind", "because", "instead"), REFUSED)
def test_a_type_is_refused_as_the_table_says(tmp_path: Path, kind: str, because: str, instead: str) -> None:
    (tmp_path / "api.ts").write_text(f"{BOOK}export interface Api {{ test(): {kind} }}\n")
    (fault,) = faults_of(read_typescript([tmp_path / "api.ts"], "schemas"))
    assert because in fault.message
    assert instead in fault.hint
    assert fault.line == 3


def test_all_options_are_described() -> None:
    command = main.get_command(None, "from-typescript")  # type: ignore[arg-type]  # it needs no context
    assert command is not None
    described = "".join(row[0] for row in table("| option | |"))
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert not option.startswith("--") or option in described, option
