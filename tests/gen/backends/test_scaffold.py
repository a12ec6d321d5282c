"""Scaffolds: what a new file holds, what is added to one that is there, and what is never touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from capnweb_gen import graph
from capnweb_gen.backends.scaffold.skeleton import Skeleton, skeletons
from capnweb_gen.backends.scaffold.update import create, update
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Compile
from tests.gen.golden_cases import GOLDEN, cases

ROOT = GOLDEN.parents[2]
BOOK = "from pydantic import BaseModel\nclass Book(BaseModel):\n    title: str\n"
LIBRARY = BOOK + "class Library(Protocol):\n    def search(self, word: str) -> list[Book]: ...\n"
GROWN = LIBRARY + "    def book(self, number: int = 0) -> Book | None: ...\n"


def made(compile_text: Compile, text: str) -> list[Skeleton]:
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    peers = graph.by_module(compiled.schemas)
    return skeletons(compiled.schemas[0], peers, compiled.files, "generated")


def test_a_new_file_has_a_class_for_each_interface(compile_text: Compile) -> None:
    assert create(made(compile_text, GROWN), "schemas/api.py").text == dedent(
        '''\
        """Implements schemas/api.py. This file is yours: `capnweb-gen scaffold` only adds what is missing."""

        from __future__ import annotations

        from collections.abc import Sequence

        from generated.api import LibraryTarget
        from schemas.api import Book


        class Library(LibraryTarget):
            async def search(self, word: str) -> Sequence[Book]:
                raise NotImplementedError

            async def book(self, number: int = 0) -> Book | None:
                raise NotImplementedError
        '''
    )


def test_classes_of_a_new_file_are_two_lines_apart(compile_text: Compile) -> None:
    text = create(made(compile_text, GROWN + "class Shelf(Protocol):\n    def size(self) -> int: ...\n"), "x").text
    assert "raise NotImplementedError\n\n\nclass Shelf(ShelfTarget):\n" in text
    assert "\n\n\n\n" not in text


@pytest.mark.parametrize("text", [LIBRARY, GROWN])
def test_what_is_complete_is_left_as_it_is(compile_text: Compile, text: str) -> None:
    skeleton = made(compile_text, text)
    first = create(skeleton, "schemas/api.py").text
    again = update(first, skeleton)
    assert (again.text, again.notes) == (first, [])


MINE = '''\
# mine
import generated.api   # odd   spacing
from generated.api import LibraryTarget

class Shelf( generated.api.LibraryTarget ):
    """Mine."""
    def __init__(self) :
        self.books = [ ]   # kept

    def search(self, word) :
        # mine too
        return [b for b in self.books
            if word in b.title]
    # the end

x=1'''


def test_missing_methods_and_their_imports_are_added_and_no_line_of_the_user_changes(compile_text: Compile) -> None:
    updated = update(MINE, made(compile_text, GROWN))
    assert updated.notes == []
    added = [line for line in updated.text.splitlines() if line.strip() and line not in MINE.splitlines()]
    assert added == [
        "from schemas.api import Book",
        "    async def book(self, number: int = 0) -> Book | None:",
        "        raise NotImplementedError",
    ]
    assert is_subsequence(MINE.splitlines(), updated.text.splitlines())


def is_subsequence(lines: Sequence[str], of: Sequence[str]) -> bool:
    remaining = iter(of)
    return all(line in remaining for line in lines)


def test_adding_twice_is_adding_once(compile_text: Compile) -> None:
    skeleton = made(compile_text, GROWN)
    once = update(MINE, skeleton).text
    assert update(once, skeleton).text == once


def test_a_new_interface_comes_as_a_class_at_the_end(compile_text: Compile) -> None:
    text = update("x = 1\n", made(compile_text, LIBRARY)).text
    assert text.startswith("\nfrom collections.abc import Sequence\nfrom generated.api import LibraryTarget\n")
    assert text.endswith(
        "x = 1\n\n\nclass Library(LibraryTarget):\n    async def search(self, word: str) -> Sequence[Book]:\n"
        "        raise NotImplementedError\n"
    )


def test_the_signature_of_a_method_nobody_has_written_follows_the_schema(compile_text: Compile) -> None:
    before = create(made(compile_text, LIBRARY), "schemas/api.py").text.replace(
        "    async def search", "    # to do\n    async def search"
    )
    changed = LIBRARY.replace("word: str", "word: str, limit: int = 5").replace("list[Book]", "Book")
    updated = update(before, made_again(compile_text, changed))
    assert "    # to do\n    async def search(self, word: str, limit: int = 5) -> Book:\n" in updated.text
    assert updated.notes == []


def made_again(compile_text: Compile, text: str) -> list[Skeleton]:
    """Compile a schema that has been compiled before under the same name."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "schemas"]:
        del sys.modules[name]
    return made(compile_text, text)


def test_the_signature_of_a_method_that_is_written_stays_and_is_told(compile_text: Compile) -> None:
    updated = update(MINE, made(compile_text, LIBRARY.replace("word: str", "word: str, limit: int")))
    assert updated.text == MINE
    assert updated.notes == ["Shelf.search is yours, and was left alone; the schema says: word, limit"]


@pytest.mark.parametrize(
    "body",
    ["raise NotImplementedError('later')", "print(1)\n        raise NotImplementedError", "..."],
)
def test_a_body_that_is_no_longer_the_scaffolds_is_the_users(compile_text: Compile, body: str) -> None:
    text = f"class Library(LibraryTarget):\n    async def search(self):\n        {body}\n"
    assert update(text, made(compile_text, LIBRARY)).text == text


def test_a_decorated_method_is_the_users(compile_text: Compile) -> None:
    text = "class L(LibraryTarget):\n    @cached\n    async def search(self):\n        raise NotImplementedError\n"
    assert update(text, made(compile_text, LIBRARY)).text == text


def test_what_a_class_may_inherit_from_elsewhere_is_not_added(compile_text: Compile) -> None:
    text = "class Library(Mixin, LibraryTarget):\n    pass\n"
    updated = update(text, made(compile_text, LIBRARY))
    assert updated.text == text
    assert updated.notes == ["Library was not given search: it may inherit them from Mixin"]


def test_what_a_class_inherits_in_the_same_file_is_not_added(compile_text: Compile) -> None:
    text = "class A:\n    def search(self, word): return []\nclass Library(A, LibraryTarget):\n    pass\n"
    updated = update(text, made(compile_text, LIBRARY))
    assert (updated.text, updated.notes) == (text, [])


def test_a_class_on_one_line_and_one_of_another_kind_are_left_alone(compile_text: Compile) -> None:
    for text, note in (
        ("class Library(LibraryTarget): pass\n", "Library is written on one line, and was left alone"),
        ("class Library: ...\n", "Library does not derive from LibraryTarget, and was left alone"),
    ):
        updated = update(text, made(compile_text, LIBRARY))
        assert (updated.text, updated.notes) == (text, [note])


def test_a_scaffold_that_has_left_the_schema_is_told(compile_text: Compile) -> None:
    before = create(made(compile_text, GROWN), "schemas/api.py").text
    updated = update(before, made_again(compile_text, LIBRARY))
    assert (updated.text, updated.notes) == (before, ["Library.book is not in the schema"])


def test_line_ends_and_indentation_are_those_of_the_file(compile_text: Compile) -> None:
    text = "class Library(LibraryTarget):\r\n  def search(self, word):\r\n    return []\r\n"
    updated = update(text, made(compile_text, GROWN)).text
    assert "\r\n  async def book(self, number: int = 0) -> Book | None:\r\n    raise NotImplementedError\r\n" in updated
    assert updated.count("\n") == updated.count("\r\n")


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every golden case, generated and scaffolded: generated_CASE/ and implement_CASE.py."""
    folder = tmp_path_factory.mktemp("scaffolds")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for case in (case for case in cases() if (GOLDEN / case / "expected.py").is_file()):
            compiled = compile_schemas([GOLDEN / case / "schema.py"], "x")
            for name, text in compiled.files.items():
                path = folder / f"generated_{case}" / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            peers = graph.by_module(compiled.schemas)
            classes = skeletons(compiled.schemas[0], peers, compiled.files, f"generated_{case}")
            (folder / f"implement_{case}.py").write_text(create(classes, case).text)
    return folder


def test_scaffolds_of_the_golden_cases_define_all_that_is_abstract(golden: Path) -> None:
    program = (
        "import importlib, pathlib\n"
        "for path in sorted(pathlib.Path('.').glob('implement_*.py')):\n"
        "    for made in vars(importlib.import_module(path.stem)).values():\n"
        "        if isinstance(made, type) and made.__module__ == path.stem:\n"
        "            assert not made.__abstractmethods__, made\n"
    )
    run(golden, "-c", program)


def test_scaffolds_of_the_golden_cases_pass_mypy_strict(golden: Path) -> None:
    files = [path.name for path in sorted(golden.glob("implement_*.py"))]
    assert len(files) > 10
    run(golden, "-m", "mypy", "--strict", "--config-file=", *files)


def run(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_callbacks_come_by_the_names_of_their_generated_classes(compile_text: Compile) -> None:
    text = create(
        made(
            compile_text,
            "class OnItem(Protocol):\n    def __call__(self, item: str, *, count: int = 1) -> None: ...\n"
            "class Api(Protocol):\n    def watch(self, on_item: OnItem, others: list[OnItem]) -> OnItem | None: ...\n",
        ),
        "schemas/api.py",
    ).text
    assert "from generated.api import ApiTarget, OnItemLike, OnItemStub\n" in text
    assert "async def watch(self, on_item: OnItemStub, others: list[OnItemStub]) -> OnItemLike | None:\n" in text
