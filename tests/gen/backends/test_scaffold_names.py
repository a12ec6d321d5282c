"""Scaffolds in a file that has names of its own: classes are known by what they derive from, and no name of the file
comes to mean something else.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capnweb_gen import graph
from capnweb_gen.backends.scaffold.skeleton import Skeleton, skeletons
from capnweb_gen.backends.scaffold.update import Updated, create, update
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Compile, Write
from tests.gen.golden_cases import GOLDEN

ROOT = GOLDEN.parents[2]
MODELS = "from pydantic import BaseModel\nclass Item(BaseModel):\n    n: int\n"
API = MODELS + "class Api(Protocol):\n    def go(self, v: Item) -> list[Item]: ...\n"
TWO = API + "class Two(Protocol):\n    def x(self) -> Api: ...\n"
WRITTEN = "    async def go(self, v: Item) -> Sequence[Item]:\n        raise NotImplementedError\n"


def made(compile_text: Compile, text: str) -> list[Skeleton]:
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    return skeletons(compiled.schemas[0], graph.by_module(compiled.schemas), compiled.files, "generated")


def without_notes(updated: Updated) -> str:
    assert updated.notes == []
    ast.parse(updated.text)
    return updated.text


@pytest.mark.parametrize(
    ("imports", "base"),
    [
        ("from generated.api import ApiTarget as Base", "Base"),
        ("from generated import api", "api.ApiTarget"),
        ("from generated import api as g", "g.ApiTarget"),
        ("import generated.api", "generated.api.ApiTarget"),
        ("import generated.api as g", "g.ApiTarget"),
        ("from .generated.api import ApiTarget as Base", "Base"),
        ("from shop.targets import ApiTarget as Base", "Base"),
        ("import generated.api\nBase = generated.api.ApiTarget", "Base"),
        ("from generated.api import *", "ApiTarget"),
    ],
)
def test_a_class_is_found_by_what_it_derives_from(compile_text: Compile, imports: str, base: str) -> None:
    text = f"{imports}\n\n\nclass Mine({base}):\n    x = 1\n"
    updated = without_notes(update(text, made(compile_text, API)))
    assert updated.endswith(f"class Mine({base}):\n    x = 1\n\n{WRITTEN}")
    assert "class Api" not in updated


def test_a_class_of_the_same_name_from_another_generated_module_is_another_one(project: Write) -> None:
    schema = "from typing import Protocol\nclass Api(Protocol):\n    def {}(self) -> int: ...\n"
    root = project(
        {"schemas/__init__.py": "", "schemas/a.py": schema.format("one"), "schemas/b.py": schema.format("two")}
    )
    compiled = compile_schemas([root / "schemas"], "x")
    peers = graph.by_module(compiled.schemas)
    both = [one for schema in compiled.schemas for one in skeletons(schema, peers, compiled.files, "generated")]
    text = "from generated.a import ApiTarget as A\nfrom generated.b import ApiTarget as B\n"
    updated = without_notes(update(f"{text}class One(A):\n    x = 1\nclass Two(B):\n    x = 1\n", both))
    first, second = updated.split("class Two")
    assert "def one(" in first
    assert "def two(" not in first
    assert "def two(" in second
    assert without_notes(update(updated, both)) == updated

    new = create(both, "schemas").text
    assert "from generated.a import ApiTarget\n" in new
    assert "from generated.b import ApiTarget as ApiTarget_\n" in new
    assert "class Api(ApiTarget):\n    async def one(" in new
    assert "class Api_(ApiTarget_):\n    async def two(" in new
    assert without_notes(update(new, both)) == new


def test_what_is_imported_under_another_name_is_written_under_it(compile_text: Compile) -> None:
    text = "from generated.api import ApiTarget as Base\n\n\nclass Api(Base):\n    def go(self, v): ...\n"
    updated = without_notes(update(text, made(compile_text, TWO)))
    assert "    async def x(self) -> Base | ApiStub:\n" in updated
    assert "from generated.api import ApiStub\n" in updated
    assert updated.count("ApiTarget") == 1


def test_every_name_that_is_written_is_imported_or_built_in(compile_text: Compile) -> None:
    text = "import generated.api as g\n\n\nclass Api(g.ApiTarget):\n    def go(self, v): ...\n"
    updated = without_notes(update(text, made(compile_text, TWO)))
    assert "from generated.api import ApiTarget\n" in updated
    assert "-> ApiTarget | ApiStub:\n" in updated


OWN = {
    "class": "class Item:\n    pass\n",
    "function": "def Item() -> int:\n    return 1\n",
    "value": "Item = 5\n",
    "annotated": "Item: int = 5\n",
    "unpacked": "Item, other = 1, 2\n",
    "import": "from elsewhere import Item\n",
    "alias": "import elsewhere as Item\n",
    "conditional": "try:\n    from elsewhere import Item\nexcept ImportError:\n    Item = None\n",
    "with": "with open('x') as Item:\n    pass\n",
    "loop": "for Item in range(3):\n    pass\n",
}


@pytest.mark.parametrize("kind", OWN)
def test_no_import_takes_the_place_of_a_name_of_the_file(compile_text: Compile, kind: str) -> None:
    text = f"from generated.api import ApiTarget\n\n{OWN[kind]}\n\nclass Mine(ApiTarget):\n    x = 1\n"
    skeleton = made(compile_text, API)
    updated = without_notes(update(text, skeleton))
    assert "from schemas.api import Item as Item_\n" in updated
    assert "    async def go(self, v: Item_) -> Sequence[Item_]:\n" in updated
    assert without_notes(update(updated, skeleton)) == updated


def test_a_signature_follows_the_schema_under_the_name_of_the_file(compile_text: Compile) -> None:
    text = (
        "from generated.api import ApiTarget\nfrom schemas.api import Item as Row\n\nItem = 5\n\n\n"
        "class Mine(ApiTarget):\n    async def go(self, v: Row) -> Row:\n        raise NotImplementedError\n"
    )
    updated = without_notes(update(text, made(compile_text, API)))
    assert "    async def go(self, v: Row) -> Sequence[Row]:\n        raise NotImplementedError\n" in updated


def test_a_parameter_and_a_method_keep_names_that_types_have_too(compile_text: Compile) -> None:
    text = "from generated.api import ApiTarget\n\nItem = 5\n\n\nclass Mine(ApiTarget):\n    x = 1\n"
    schema = MODELS + "class Api(Protocol):\n    def make(self, Item: int, other: 'Item') -> 'Item': ...\n"
    updated = without_notes(update(text, made(compile_text, schema)))
    assert "    async def make(self, Item: int, other: Item_) -> Item_:\n" in updated


def test_what_only_type_checkers_import_is_imported_once_more(compile_text: Compile) -> None:
    text = (
        "from typing import TYPE_CHECKING\nfrom generated.api import ApiTarget\n"
        "if TYPE_CHECKING:\n    from schemas.api import Item\n\nclass Mine(ApiTarget):\n    x = 1\n"
    )
    updated = without_notes(update(text, made(compile_text, API)))
    assert "\nfrom schemas.api import Item\n" in updated
    assert "v: Item)" in updated


@pytest.mark.parametrize("taken", ["from schemas.api import Api", "Api = 5", "def Api(): ..."])
def test_no_class_takes_the_place_of_a_name_of_the_file(compile_text: Compile, taken: str) -> None:
    text = f"{taken}\n"
    updated = update(text, made(compile_text, API))
    assert updated.text == text
    assert updated.notes == [
        "Api is something else here, so that no class of that name was added: write one that derives from ApiTarget"
    ]


def test_files_with_names_of_their_own_pass_mypy_strict(project: Write) -> None:
    schema = "from typing import Protocol\n" + TWO
    root = project({"schemas/__init__.py": "", "schemas/api.py": schema})
    compiled = compile_schemas([root / "schemas"], "x")
    for name, text in compiled.files.items():
        (root / "generated").mkdir(exist_ok=True)
        (root / "generated" / name).write_text(text)
    found = skeletons(compiled.schemas[0], graph.by_module(compiled.schemas), compiled.files, "generated")
    mine = (
        "from generated import api\nfrom generated.api import ApiTarget as Base\n\n\nclass Item:\n    pass\n\n\n"
        "class Api(Base):\n    pass\n\n\nclass Other(api.TwoTarget):\n    pass\n"
    )
    (root / "implementation.py").write_text(update(mine, found).text)
    check(root, "implementation.py")


def check(folder: Path, file: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", file]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
