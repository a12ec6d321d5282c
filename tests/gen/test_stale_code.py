"""Generated modules whose schema has changed since: what importing them says, and what it costs to find out."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import ModuleType

import pytest

from capnweb_gen.compiler import compile_schemas
from capnweb_runtime import StaleCodeWarning
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN

COMMAND = "capnweb-gen schemas --out generated"
FORMS = {
    "pydantic": "class Book(BaseModel):\n    {fields}\n",
    "pydantic_dataclass": "@pydantic_dataclass\nclass Book:\n    {fields}\n",
    "dataclass": "@dataclass\nclass Book:\n    {fields}\n",
    "named_tuple": "class Book(NamedTuple):\n    {fields}\n",
    "typed_dict": "class Book(TypedDict):\n    {fields}\n",
}
IMPORTS = (
    "from dataclasses import dataclass, field\nfrom typing import *\nfrom pydantic import *\n"
    "from pydantic.alias_generators import to_camel\nfrom pydantic.dataclasses import dataclass as pydantic_dataclass\n"
    "from typing_extensions import deprecated\n"
)
INTERFACE = "class Api(Protocol):\n    def get(self) -> Book: ...\n"

Import = Callable[[str, str], ModuleType]


@pytest.fixture
def imported(project: Write, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Compile one text, and import what was generated once the schema has become another."""

    def compile_and_import(before: str, after: str) -> ModuleType:
        root = project({"schemas/__init__.py": "", "schemas/api.py": IMPORTS + before})
        compiled = compile_schemas([root / "schemas"], COMMAND)
        assert compiled.diagnostics == ()
        project({f"generated_now/{name}": text for name, text in compiled.files.items()})
        project({"schemas/api.py": IMPORTS + after})
        for name in [name for name in sys.modules if name.partition(".")[0] in {"schemas", "generated_now"}]:
            del sys.modules[name]
        monkeypatch.syspath_prepend(root)
        return importlib.import_module("generated_now.api")

    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would be told apart by seconds
    return compile_and_import


def model(form: str, *fields: str) -> str:
    return FORMS[form].format(fields="\n    ".join(fields)) + INTERFACE


@pytest.mark.parametrize("form", FORMS)
def test_a_field_that_was_renamed_is_refused_with_the_command_that_mends_it(imported: Import, form: str) -> None:
    with pytest.raises(ImportError) as caught:
        imported(model(form, "title: str", "year: int"), model(form, "name: str", "year: int"))
    assert str(caught.value) == (
        f"generated_now.api is out of date: Book no longer has 'title' and has gained 'name'; run: {COMMAND}"
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_field_that_is_gone_is_refused(imported: Import, form: str) -> None:
    with pytest.raises(ImportError, match=r"Book no longer has 'year'; run: capnweb-gen schemas --out generated$"):
        imported(model(form, "title: str", "year: int"), model(form, "title: str"))


@pytest.mark.parametrize("form", FORMS)
def test_a_field_that_is_new_is_a_warning_and_the_rest_works(imported: Import, form: str) -> None:
    with pytest.warns(StaleCodeWarning) as caught:
        module = imported(model(form, "title: str"), model(form, "title: str", "year: int"))
    assert [str(warning.message) for warning in caught] == [
        f"generated_now.api is out of date: Book has gained 'year'; run: {COMMAND}"
    ]
    assert (caught[0].filename, caught[0].lineno) == (module.__file__, 1)
    assert module.ApiStub is not None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", ["", "WIRE_CASE = 'camel'\n"])
def test_what_is_up_to_date_is_silent(imported: Import, form: str, case: str) -> None:
    same = case + model(form, "title_of_it: str", "in_: int")
    assert imported(same, same).ApiStub is not None


LATE = "def other(name: str) -> str:\n    return 'x' + name\n"
PYDANTIC = {
    "alias": model("pydantic", "title: str = Field(alias='Called')"),
    "serialization_alias": model("pydantic", "title: str = Field(serialization_alias='Called')"),
    "generator": model("pydantic", "model_config = ConfigDict(alias_generator=str.upper)", "title: str"),
    "camel": model(
        "pydantic", "model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)", "title_of_it: str"
    ),
    "computed": model(
        "pydantic", "title: str", "@computed_field", "@property", "def size(self) -> int:", "    return 1"
    ),
    "computed_alias": model(
        "pydantic", "title: str", "@computed_field(alias='Len')", "@property", "def size(self) -> int:", "    return 1"
    ),
    "computed_dataclass": model("dataclass", "title: str", "size: int = field(default=1, init=False)"),
    "private": model("pydantic", "title: str", "_cache: int = 1", "LIMIT: ClassVar[int] = 5"),
    "deprecated": model("pydantic", "title: str = Field(deprecated='no', alias='Called')"),
    "extra": model("pydantic", "model_config = ConfigDict(extra='allow')", "title: str"),
    "empty": model("pydantic", "pass"),
    "pydantic_dataclass_alias": model("pydantic_dataclass", "title: str = Field(alias='Called')"),
    "pydantic_dataclass_generator": LATE
    + "@pydantic_dataclass(config=ConfigDict(alias_generator=other))\nclass Book:\n    title: str\n"
    + INTERFACE,
    "pydantic_dataclass_computed": model(
        "pydantic_dataclass", "title: str", "@computed_field(alias='Len')", "def size(self) -> int:", "    return 1"
    ),
    "derived_class": "@pydantic_dataclass\nclass Base:\n    title: Annotated[str, Field(alias='Called')]\n"
    "class Book(Base):\n    pass\n" + INTERFACE,
    "any_keys": "Book = TypedDict('Book', {'from': str, 'in-reply-to': str})\n" + INTERFACE,
    "optional_keys": "class Book(TypedDict, total=False):\n    title: Required[str]\n    size: int\n" + INTERFACE,
    "root": "class Book(RootModel[int]):\n    pass\n" + INTERFACE,
    "generic": "T = TypeVar('T')\nclass Page(BaseModel, Generic[T]):\n    item: T\nclass Book(Page[int]):\n    pass\n"
    + INTERFACE,
    "forward": LATE
    + model("pydantic", "model_config = ConfigDict(alias_generator=other)", "late: 'Late | None' = None")
    + "class Late(BaseModel):\n    x: int\n",
    "deferred": LATE
    + model("pydantic", "model_config = ConfigDict(alias_generator=other, defer_build=True)", "title: str"),
}


@pytest.mark.parametrize("kind", PYDANTIC)
def test_what_models_can_say_of_their_fields_is_no_difference(imported: Import, kind: str) -> None:
    assert imported(PYDANTIC[kind], PYDANTIC[kind]).ApiStub is not None


def test_a_model_that_is_not_complete_yet_is_compared(imported: Import) -> None:
    text = "class Late(BaseModel):\n    x: int\n"
    with pytest.raises(ImportError, match="Book no longer has 'title' and has gained 'name'; run: "):
        imported(
            model("pydantic", "title: str", "late: 'Late | None' = None") + text,
            model("pydantic", "name: str", "late: 'Late | None' = None") + text,
        )


def test_a_field_that_was_renamed_and_kept_its_alias_is_refused(imported: Import) -> None:
    after = PYDANTIC["alias"].replace("title", "name")
    with pytest.raises(ImportError, match="Book has gained 'name'; run: "):
        imported(PYDANTIC["alias"], after)


def test_a_field_with_an_alias_that_is_new_is_a_warning(imported: Import) -> None:
    after = model("pydantic", "title: str = Field(alias='Called')", "size: int = Field(1, alias='Length')")
    with pytest.warns(StaleCodeWarning, match="Book has gained 'size'; run: "):
        imported(PYDANTIC["alias"], after)


@pytest.mark.parametrize(("one", "other"), [("computed", "extra"), ("empty", "extra"), ("extra", "empty")])
def test_fields_of_every_kind_are_compared(imported: Import, one: str, other: str) -> None:
    with pytest.raises((ImportError, StaleCodeWarning), match=r"Book (no longer has|has gained) '(size|title)'"):
        imported(PYDANTIC[one], PYDANTIC[other])


# ---- interfaces, whose schema is imported where it has models

BEFORE = model("pydantic", "title: str")
GENERIC = "T = TypeVar('T', covariant=True)\nclass Page(Protocol[T]):\n    def item(self) -> T: ...\n"
MEMBERS = {
    "new": ("    def put(self, book: Book, *, at: int = 0) -> None: ...\n", "", "Api has gained 'put(book, at=)'"),
    "gone": ("", "    def put(self, *books: Book) -> None: ...\n", "Api no longer has 'put(*books)'"),
    "parameter": (
        "    def put(self, book: Book, at: int) -> None: ...\n",
        "    def put(self, book: Book) -> None: ...\n",
        "Api no longer has 'put(book)' and has gained 'put(book, at)'",
    ),
    "property": (
        "    @property\n    def size(self) -> int: ...\n",
        "    def size(self) -> int: ...\n",
        "Api no longer has 'size()' and has gained 'size'",
    ),
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_members_that_differ_are_a_warning(imported: Import, kind: str) -> None:
    after, before, said = MEMBERS[kind]
    with pytest.warns(StaleCodeWarning) as caught:
        imported(BEFORE + before, BEFORE + after)
    assert [str(warning.message) for warning in caught] == [f"generated_now.api is out of date: {said}; run: {COMMAND}"]


@pytest.mark.parametrize(
    "members",
    [
        "    @deprecated('no')\n    def put(self, book: Book) -> None: ...\n",
        "    async def put(self, book: Book, /, n: int = 1, *rest: int, key: str = '') -> None: ...\n",
        "    @property\n    def size(self) -> int: ...\n",
        "class More(Api, Protocol):\n    def more(self) -> int: ...\n",
        f"{GENERIC}class Pages(Protocol):\n    def ints(self) -> Page[int]: ...\n",
        "class Handler(Protocol):\n    def __call__(self, x: int) -> None: ...\n",
    ],
)
def test_what_interfaces_can_say_is_no_difference(imported: Import, members: str) -> None:
    assert imported(BEFORE + members, BEFORE + members).ApiStub is not None


def test_interfaces_that_are_models_are_compared_by_name(imported: Import) -> None:
    start = "from capnweb_runtime.schema import InterfaceModel, Method\n"
    start += "class Book(BaseModel):\n    title: str\nclass Api(InterfaceModel):\n    get: Method[None, Book]\n"
    assert imported(start, start).ApiStub is not None
    with pytest.warns(StaleCodeWarning, match="Api has gained 'put'; run: "):
        imported(start, start + "    put: Method[Book, None]\n")


# ---- how it is said


def test_what_is_out_of_date_does_not_keep_the_compiler_from_mending_it(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAPNWEB_STALE", raising=False)
    importing = (
        "from typing import Protocol\nimport made_now.book\nclass Api(Protocol):\n    def get(self) -> int: ...\n"
    )
    root = project({"schemas/__init__.py": "", "schemas/book.py": IMPORTS + model("dataclass", "title: str")})
    files = compile_schemas([root / "schemas"], COMMAND).files
    project({f"made_now/{name}": text for name, text in files.items()})
    project({"schemas/book.py": IMPORTS + model("dataclass", "name: str"), "schemas/api.py": importing})
    for name in [name for name in sys.modules if name.partition(".")[0] == "schemas"]:
        del sys.modules[name]
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    compiled = compile_schemas([root / "schemas"], COMMAND)
    assert compiled.diagnostics == ()
    assert '"name"' in compiled.files["book.py"]
    assert "CAPNWEB_STALE" not in os.environ


def test_it_can_be_turned_off(imported: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPNWEB_STALE", "ignore")
    before = model("pydantic", "title: str") + "    def put(self) -> None: ...\n"
    assert imported(before, model("pydantic", "name: str", "year: int")).ApiStub is not None


def test_it_can_be_made_an_error(imported: Import) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", StaleCodeWarning)
        with pytest.raises(StaleCodeWarning, match="Book has gained 'year'"):
            imported(model("dataclass", "title: str"), model("dataclass", "title: str", "year: int"))


def test_a_program_says_it_once_and_goes_on(project: Write) -> None:
    before, after = model("dataclass", "title: str"), model("dataclass", "title: str", "year: int = 0")
    root = project({"schemas/__init__.py": "", "schemas/api.py": IMPORTS + before})
    files = compile_schemas([root / "schemas"], COMMAND).files
    project({f"generated/{name}": text for name, text in files.items()})
    project({"schemas/api.py": IMPORTS + after})
    environment = {**os.environ, "PYTHONPATH": str(GOLDEN.parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "import generated.api; print('goes on')"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "goes on\n"
    (said, shown) = done.stderr.splitlines()
    assert said.endswith(
        f"api.py:1: StaleCodeWarning: generated.api is out of date: Book has gained 'year'; run: {COMMAND}"
    )
    assert shown.strip() == f"# Generated by capnweb-gen from schemas/api.py. Do not edit; run: {COMMAND}"


def test_a_command_on_a_line_of_its_own_is_found(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "capnweb-gen schemas --out " + "generated_" * 10
    root = project({"schemas/__init__.py": "", "schemas/api.py": IMPORTS + model("dataclass", "title: str")})
    files = compile_schemas([root / "schemas"], long).files
    project({f"generated_long/{name}": text for name, text in files.items()})
    schema = sys.modules["schemas.api"]
    monkeypatch.setattr(vars(schema)["Book"], "__dataclass_fields__", {})
    monkeypatch.syspath_prepend(root)
    with pytest.raises(ImportError, match=f"Book no longer has 'title'; run: {long}$"):
        importlib.import_module("generated_long.api")
