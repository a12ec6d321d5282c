"""Codes and their pages: every message that the tests know has one, and each example does what its page says."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import capnweb_runtime
from capnweb_gen.cli import main
from capnweb_gen.cli.from_typescript import faults_of
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.explanations import code_of, page_of, pages
from capnweb_gen.explanations.catalogue import Example
from capnweb_gen.frontends.typescript.reader import read_typescript
from capnweb_runtime import serve
from capnweb_runtime.errors import CapnwebError
from capnweb_runtime.observe import Observer
from examples.demo.server import Accounts, Front
from tests.gen.conftest import Write

HERE = Path(__file__).parent
RUNTIME = 500
"""The first code of what programs see when they run."""
SAID = re.compile(r"^\S+:\d+:\d+: (.*?)(?: \[CW-\d{3}\])?$", re.MULTILINE)
EXAMPLES = [
    pytest.param(page.code, example, id=f"{page.code}-{number}")
    for page in pages().values()
    for number, example in enumerate(page.examples)
]


def compiled(project: Write, code: str, example: Example) -> list[str | None]:
    """The codes of what the compiler says of an example."""
    name = f"example_{code[3:]}_{'right' if example.right else 'wrong'}"
    if example.language == "ts":
        root = project({f"{name}.ts": example.code})
        return [fault.code for fault in faults_of(read_typescript([root / f"{name}.ts"], name))]
    root = project({"pyproject.toml": "", "schemas/__init__.py": "", f"schemas/{name}.py": example.code})
    return [fault.code for fault in compile_schemas([root / "schemas" / f"{name}.py"], "x").diagnostics]


class Silent(Observer):
    def target_failed(self, where: str, error: BaseException) -> None:
        """It is meant to."""


async def raised(code: str) -> BaseException | None:
    """What a program raises that has `url`, of a server, and may await at its top."""
    async with serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, observer=Silent()) as server:
        namespace: dict[str, Any] = {"url": server.url, "__name__": "__main__"}
        try:
            async with asyncio.timeout(30):
                running = eval(compile(code, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
                if inspect.isawaitable(running):
                    await running
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize(("code", "example"), [one for one in EXAMPLES if int(one.values[0][3:]) < RUNTIME])  # type: ignore[index]
def test_a_wrong_example_is_refused_for_that_reason_and_a_right_one_is_not(
    code: str, example: Example, project: Write
) -> None:
    assert set(compiled(project, code, example)) == (set() if example.right else {code})


@pytest.mark.parametrize(("code", "example"), [one for one in EXAMPLES if int(one.values[0][3:]) >= RUNTIME])  # type: ignore[index]
async def test_a_wrong_program_fails_so_and_a_right_one_does_not(code: str, example: Example) -> None:
    error = await raised(example.code)
    if example.right:
        assert error is None
    else:
        assert error is not None
        assert code in {code_of(str(error)), code_of(f"{type(error).__name__}: {error}")}


def test_every_message_that_the_tests_know_has_a_code() -> None:
    said = {
        message
        for pattern in ("diagnostics/*/expected.txt", "golden/*/diagnostics.txt", "typescript_cases/*/diagnostics.txt")
        for path in HERE.glob(pattern)
        for message in SAID.findall(path.read_text("utf-8"))
    }
    assert len(said) > 300
    assert sorted(message for message in said if code_of(message) is None) == []


def test_every_exception_of_the_runtime_has_a_page_that_its_docstring_names() -> None:
    errors = [value for name in capnweb_runtime.__all__ if _is_error(value := getattr(capnweb_runtime, name))]
    assert len(errors) > 12
    for error in errors:
        page = page_of(error.__name__)
        assert page is not None, error
        assert page.code in (error.__doc__ or ""), f"{error.__name__}: its docstring does not name {page.code}"


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, CapnwebError) and value is not CapnwebError


def test_a_page_says_what_it_is_about_and_why() -> None:
    for page in pages().values():
        assert page.messages, page.code
        prose = re.sub(r"```.*?```", "", page.text, flags=re.DOTALL)
        assert len(prose.split()) > 25, f"{page.code} explains nothing"
        kinds = [example.right for example in page.examples]
        assert kinds in ([], [False], [True], [False, True]), page.code


def test_no_two_pages_are_about_the_same_message() -> None:
    messages = [message for page in pages().values() for message in page.messages]
    assert len(messages) == len(set(messages))


def test_a_message_is_known_behind_the_member_that_it_is_about() -> None:
    assert code_of("Api.get(), parameter key: the annotation is missing") == "CW-050"
    assert code_of("the annotation is missing") == "CW-050"
    assert code_of("something that nobody says") is None


def test_a_message_of_any_length_is_known_by_its_beginning() -> None:
    assert code_of(f"importing this schema failed: {'x' * 10_000_000}") == "CW-006"


def test_of_several_that_fit_the_one_counts_that_leaves_the_least_open() -> None:
    assert code_of("Api.get(): list cannot travel") == "CW-050"
    assert code_of("Api.get(): complex cannot travel") == "CW-051"


@pytest.mark.parametrize("asked", ["CW-050", "cw-50", "50", "Api.get(): the annotation is missing"])
def test_explain_prints_a_page(asked: str) -> None:
    done = CliRunner().invoke(main, ["explain", asked])
    assert done.exit_code == 0
    assert done.output == pages()["CW-050"].text


def test_explain_lists_all_and_says_what_it_does_not_know() -> None:
    listed = CliRunner().invoke(main, ["explain", "--list"])
    assert [line.partition("  ")[0] for line in listed.output.splitlines()] == list(pages())
    unknown = CliRunner().invoke(main, ["explain", "CW-999"])
    assert unknown.exit_code == 2
    assert "there is no page about 'CW-999'; --list prints all codes" in unknown.output
    assert CliRunner().invoke(main, ["explain"]).exit_code == 2
