"""The IR as JSON: what is read back, and what is refused because it is no IR or cannot be trusted."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas, read
from capnweb_gen.frontends.ir_json import dump
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN

API = """
    from typing import Protocol
    from pydantic import BaseModel
    from capnweb_runtime.schema import raises

    class Item(BaseModel):
        id: int

    class Base(Protocol):
        def close(self) -> None: ...

    class OnItem(Protocol):
        @raises(ValueError)
        def __call__(self, item: Item, *, count: int = 1) -> None: ...

    class Api(Base, Protocol):
        async def get(self, item: Item) -> list[Base]: ...
        async def watch(self, on_item: OnItem) -> OnItem: ...
"""


@pytest.fixture
def written(project: Write) -> list[dict[str, Any]]:
    """The IR of one schema, as it is printed."""
    root = project({"ir1/__init__.py": "", "ir1/api.py": API})
    schemas, faults = read([root / "ir1"])
    assert faults == []
    found: list[dict[str, Any]] = json.loads(dump(schemas))
    return found


def faults_of(value: object) -> list[str]:
    Path("ir.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return [str(fault).split("\n")[0] for fault in compile_schemas([Path("ir.json")], "x").diagnostics]


def test_json_gives_the_module_that_its_schema_gives(written: list[dict[str, Any]], project: Write) -> None:
    Path("ir.json").write_text(json.dumps(written))
    assert compile_schemas([Path("ir.json")], "x").files == compile_schemas([Path("ir1")], "x").files


def test_one_schema_needs_no_list(written: list[dict[str, Any]]) -> None:
    assert faults_of(written[0]) == []


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/ir.json")), ids=lambda path: path.parent.name)
def test_the_ir_of_every_golden_case_is_read_as_it_was_printed(path: Path) -> None:
    schemas, faults = read([path])
    assert faults == []
    committed = json.loads(path.read_text("utf-8"))
    written = committed if isinstance(committed, list) else [committed]
    assert schemas == tuple(ir.Schema.model_validate(schema) for schema in written)
    assert json.loads(dump(schemas)) == [schema.model_dump(mode="json") for schema in schemas]


def test_schemas_in_python_and_in_json_are_compiled_together(project: Write, written: list[dict[str, Any]]) -> None:
    Path("ir.json").write_text(json.dumps(written))
    other = "from typing import Protocol\nclass Other(Protocol):\n    def get(self) -> int: ...\n"
    root = project({"ir2/__init__.py": "", "ir2/other.py": other})
    assert list(compile_schemas([root / "ir2", Path("ir.json")], "x").files) == ["__init__.py", "api.py", "other.py"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[{"format": 1,\n  oops', "ir.json:2:3: this is not JSON: "),
        ("[1]", "ir.json:1:1: this is not IR: 0: "),
        ('{"module": "a"}', "ir.json:1:1: this is not IR: 0.format: "),
        ('{"format": 99}', f"ir.json:1:1: this is IR of format 99; this compiler reads format {ir.IR_FORMAT}"),
        ('{"format": 1, "module": "a"}', "ir.json:1:1: this is not IR: 0.path: "),
    ],
)
def test_what_is_no_ir_is_refused(text: str, fault: str, project: Write) -> None:
    project({})
    (found,) = faults_of(text)
    assert found.startswith(fault)


def test_a_missing_file_is_a_fault(project: Write) -> None:
    project({})
    (fault,) = compile_schemas([Path("ir.json")], "x").diagnostics
    assert str(fault).startswith("ir.json:1:1: cannot be read: No such file")


@pytest.mark.parametrize("output", ["../api.py", "/api.py", "api.txt", "a b.py", "a/../b.py", "class.py", ""])
def test_a_path_outside_the_output_folder_is_refused(output: str, written: list[dict[str, Any]]) -> None:
    written[0]["output"] = output
    (fault,) = faults_of(written)
    assert fault == f"ir.json:1:1: {output!r} is not the path of a module inside the output folder"


@pytest.mark.parametrize(
    "place",
    [
        ("interfaces", 1, "name"),
        ("interfaces", 1, "members", 0, "name"),
        ("interfaces", 1, "members", 0, "parameters", 0, "name"),
        ("models", 0, "fields", 0, "name"),
        ("models", 0, "module"),
        ("interfaces", 1, "members", 0, "parameters", 0, "type", "model", "name"),
    ],
)
def test_a_name_that_would_be_more_than_a_name_in_generated_code_is_refused(
    place: tuple[str | int, ...], written: list[dict[str, Any]]
) -> None:
    node: Any = written[0]
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = "x(): import os #"
    assert any("'x(): import os #' is not the name of" in fault for fault in faults_of(written))


def test_a_line_break_in_a_path_cannot_leave_its_comment(written: list[dict[str, Any]]) -> None:
    written[0]["path"] = "a.py\nimport os"
    assert faults_of(written) == ["ir.json:1:1: 'a.py\\nimport os' is not a path"]


def test_what_is_named_and_declared_nowhere_is_refused(written: list[dict[str, Any]]) -> None:
    written[0]["models"] = []
    assert faults_of(written) == ["ir1/api.py:1:1: the model ir1.api.Item is declared nowhere"]


def test_a_callback_is_declared_among_the_callbacks(written: list[dict[str, Any]]) -> None:
    del written[0]["callbacks"]
    assert faults_of(written) == ["ir1/api.py:1:1: the callback ir1.api.OnItem is declared nowhere"]


def test_what_a_callback_raises_is_declared(written: list[dict[str, Any]]) -> None:
    written[0]["errors"] = []
    fault = "the exception builtins.ValueError is not among the errors of the schema"
    assert faults_of(written) == [f"ir1/api.py:1:1: {fault}"]


def test_the_names_of_a_callback_mean_nothing_but_its_own(written: list[dict[str, Any]]) -> None:
    expected = compile_schemas([Path("ir1")], "x").files
    written[0]["callbacks"][0]["call"] |= {"name": "anything", "wire": "anything"}
    Path("ir.json").write_text(json.dumps(written))
    assert compile_schemas([Path("ir.json")], "x").files == expected


def test_an_interface_is_no_model(written: list[dict[str, Any]]) -> None:
    member = written[0]["interfaces"][1]["members"][0]
    member["result"] = {"kind": "model", "model": {"module": "ir1.api", "name": "Base"}}
    assert faults_of(written) == ["ir1/api.py:1:1: the model ir1.api.Base is declared nowhere"]


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        ({"kind": "union", "members": []}, "this union is empty"),
        ({"kind": "tuple", "items": []}, "this tuple is empty"),
        ({"kind": "literal", "values": []}, "this literal is empty"),
        ({"kind": "enum", "enum": {"module": "m", "name": "E"}, "members": []}, "the enum E is empty"),
        (
            {"kind": "union", "members": [{"kind": "stub"}, {"kind": "scalar", "name": "int"}]},
            "stub | scalar is a union with stub",
        ),
        (
            {"kind": "dict", "key": {"kind": "scalar", "name": "bool"}, "value": {"kind": "scalar", "name": "int"}},
            "the keys of a dict cannot be of the kind 'scalar'",
        ),
        (
            {"kind": "constrained", "item": {"kind": "scalar", "name": "int"}, "when": "past"},
            "when and microseconds are said of what is no date",
        ),
        (
            {"kind": "constrained", "item": {"kind": "scalar", "name": "date"}, "microseconds": "round"},
            "when and microseconds are said of what is no date",
        ),
    ],
)
def test_a_type_that_no_front_end_makes_is_refused(
    shape: dict[str, Any], fault: str, written: list[dict[str, Any]]
) -> None:
    written[0]["interfaces"][1]["members"][0]["result"] = {"kind": "list", "item": shape}
    assert faults_of(written) == [f"ir.json:1:1: {fault}"]


@pytest.mark.parametrize("number", ["Infinity", "1e400", "NaN"])
def test_a_number_that_json_lacks_is_refused(number: str, written: list[dict[str, Any]]) -> None:
    item = {"kind": "scalar", "name": "float"}
    written[0]["interfaces"][1]["members"][0]["result"] = {"kind": "constrained", "item": item, "le": "NUMBER"}
    (fault,) = faults_of(json.dumps(written).replace('"NUMBER"', number))
    assert fault.startswith("ir.json:1:1: this is not IR: ")


def test_a_default_that_json_lacks_is_kept(written: list[dict[str, Any]]) -> None:
    parameter = written[0]["interfaces"][1]["members"][0]["parameters"][0]
    parameter |= {"type": {"kind": "scalar", "name": "float"}, "default": {"value": {"float": "-inf"}}}
    Path("ir.json").write_text(json.dumps(written))
    assert 'item: float = float("-inf")' in compile_schemas([Path("ir.json")], "x").files["api.py"]


def test_an_interface_that_inherits_itself_is_refused(written: list[dict[str, Any]]) -> None:
    written[0]["interfaces"][0]["bases"] = [{"module": "ir1.api", "name": "Api"}]
    assert faults_of(written) == ["ir1/api.py:9:7: Base inherits itself", "ir1/api.py:16:7: Api inherits itself"]


def test_two_schemas_for_one_module_are_refused(written: list[dict[str, Any]]) -> None:
    other = copy.deepcopy(written[0])
    other["path"] = "elsewhere/api.py"
    assert faults_of([written[0], other]) == [
        "elsewhere/api.py:1:1: this and ir1/api.py both are the module ir1.api",
        "elsewhere/api.py:1:1: this and ir1/api.py both become api.py",
    ]


def test_what_is_wrong_with_a_schema_is_wrong_in_json_too(written: list[dict[str, Any]]) -> None:
    written[0]["interfaces"][0]["members"][0]["name"] = "dup"
    assert faults_of(written)[0].startswith("ir1/api.py:10:9: Base.dup() has a name that every stub and promise uses")
