"""Schemas as wholes: which modules are schemas, what their names mean, and what of them is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_gen.compiler import read as read_and_check
from capnweb_gen.frontends.python.protocol import read_schemas
from tests.gen.conftest import Compile, Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def test_modules_that_declare_nothing_are_passed_over_in_a_folder(project: Write) -> None:
    files = {"p1/__init__.py": "", "p1/api.py": API, "p1/constants.py": "X = 1\n", "p1/plain.py": "class Plain: ...\n"}
    schemas, faults = read_schemas([project(files) / "p1"])
    assert faults == []
    assert [schema.output for schema in schemas] == ["api.py"]


def test_modules_without_classes_are_not_even_executed(project: Write) -> None:
    root = project({"p2/__init__.py": "", "p2/api.py": API, "p2/script.py": "raise SystemExit('no')\n"})
    assert read_schemas([root / "p2"])[1] == []


def test_a_file_that_is_named_has_to_declare_something(project: Write) -> None:
    root = project({"p3/__init__.py": "", "p3/plain.py": "X = 1\n"})
    schemas, faults = read_schemas([root / "p3/plain.py"])
    assert schemas == ()
    assert [fault.message for fault in faults] == ["no interface is declared here"]


def test_imported_interfaces_and_models_are_not_declared_again(project: Write) -> None:
    root = project({"p4/__init__.py": "", "p4/api.py": API, "p4/more.py": "from p4.api import Api\nclass X: ...\n"})
    schemas, faults = read_schemas([root / "p4"])
    assert faults == []
    assert [[interface.name for interface in schema.interfaces] for schema in schemas] == [["Api"]]


def test_models_of_a_schema_come_in_its_order_whatever_names_them_first(compile_text: Compile) -> None:
    schema = compile_text(
        """
        from pydantic import BaseModel

        class A(BaseModel):
            c: "C"

        class B(BaseModel):
            pass

        class C(BaseModel):
            pass
        """
    ).schemas[0]
    assert sorted(model.name for model in schema.models) == ["A", "B", "C"]
    assert [model.name for model in schema.models] == ["A", "B", "C"]


def test_faults_of_several_files_are_found_in_one_run(project: Write) -> None:
    files = {
        "p5/__init__.py": "",
        "p5/a.py": "class (:\n",
        "p5/b.py": "class X: ...\n1 / 0\n",
        "p5/c.py": API + "    x: int\n",
    }
    _, faults = read_schemas([project(files) / "p5"])
    assert sorted({fault.file for fault in faults}) == ["p5/a.py", "p5/b.py", "p5/c.py"]


def test_names_under_type_checking_may_come_from_modules_that_need_this_one(project: Write) -> None:
    a = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING, Protocol\n"
        "if TYPE_CHECKING:\n    from .b import B\n\n"
        "class A(Protocol):\n    def b(self) -> B: ...\n"
    )
    b = "from typing import Protocol\nfrom p6.a import A\n\nclass B(Protocol):\n    def a(self) -> A: ...\n"
    schemas, faults = read_schemas([project({"p6/__init__.py": "", "p6/a.py": a, "p6/b.py": b}) / "p6"])
    assert faults == []
    assert [schema.output for schema in schemas] == ["a.py", "b.py"]


def test_a_class_that_is_not_what_its_name_stands_for_is_refused_where_it_is_declared(compile_text: Compile) -> None:
    text = "from pydantic import BaseModel, create_model\n\nclass A(BaseModel):\n    x: int\n\nA = create_model('B')\n"
    (diagnostic,) = compile_text(text).diagnostics
    assert diagnostic.message == "the class B cannot be imported from schemas.api, where nothing has that name"
    assert diagnostic.line == 4


def test_a_file_that_cannot_be_read_is_a_fault(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project({"p7/__init__.py": "", "p7/api.py": API})

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    _, faults = read_schemas([root / "p7/api.py"])
    assert [(fault.file, fault.message) for fault in faults] == [
        ("p7/api.py", "this cannot be read: Permission denied")
    ]


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ("class Part(Protocol):\n    def get(self) -> int: ...", "Part"),
        ("class Part(BaseModel):\n    a: int", "list[Part]"),
    ],
)
def test_a_schema_that_is_imported_under_another_name_is_told_with_both(
    project: Write, monkeypatch: pytest.MonkeyPatch, declared: str, used: str
) -> None:
    name = f"p8{len(used)}"
    parts = f"from typing import Protocol\nfrom pydantic import BaseModel\n{declared}\n"
    head = f"from typing import Protocol\nfrom {name}.schemas.parts import Part\n"
    api = f"{head}class Api(Protocol):\n    def a(self) -> {used}: ...\n"
    files = {"__init__.py": "", "parts.py": parts, "api.py": api}
    root = project({f"{name}/schemas/{file}": text for file, text in files.items()})
    monkeypatch.syspath_prepend(root)
    monkeypatch.chdir(root / name)
    _, (fault,) = read_and_check([root / name / "schemas"])
    parts_module = f"{name}.schemas.parts"
    reason = f"Part comes from {parts_module}, but schemas/parts.py is compiled as schemas.parts: it exists twice"
    assert fault.message == f"Api.a(): {reason}"
    assert fault.hint.startswith("import it from schemas.parts")


@pytest.mark.parametrize(
    "declared",
    ["class Part(Protocol):\n        def get(self) -> int: ...", "class Part(BaseModel):\n        a: int"],
)
def test_what_only_type_checkers_see_is_refused_where_it_is_declared(compile_text: Compile, declared: str) -> None:
    text = f"from typing import TYPE_CHECKING\nfrom pydantic import BaseModel\nif TYPE_CHECKING:\n    {declared}\n"
    (fault,) = compile_text(text).diagnostics
    assert (fault.line, fault.column) == (5, 11)
    assert fault.message == "Part is declared under TYPE_CHECKING, where Python does not find it"


def test_an_interface_that_no_statement_declares_is_refused_where_it_is_named(compile_text: Compile) -> None:
    text = """
        def make() -> type:
            class Part(Protocol):
                def get(self) -> int: ...
            Part.__qualname__ = "Part"
            return Part

        Part = make()

        class Api(Protocol):
            def a(self) -> Part: ...
    """
    (fault,) = compile_text(text).diagnostics
    assert (fault.line, fault.column) == (12, 20)
    assert fault.message == "Api.a(): Part is declared by no class statement at the top level of its module"


def test_records_that_are_made_by_a_call_are_declared_by_it(project: Write) -> None:
    text = 'from typing import TypedDict\nMail = TypedDict("Mail", {"from": str})\n'
    (schema,), faults = read_schemas([project({"p9/__init__.py": "", "p9/mail.py": text}) / "p9"])
    assert faults == []
    assert [(model.name, model.position.line, model.fields[0].position.column) for model in schema.models] == [
        ("Mail", 2, 27)
    ]


def test_a_model_of_a_module_without_source_has_no_place(project: Write) -> None:
    text = """
        import types, sys
        from typing import Protocol
        from pydantic import BaseModel
        hidden = types.ModuleType("p10_hidden")
        hidden.__file__ = "/nonexistent/p10_hidden.so"
        sys.modules["p10_hidden"] = hidden
        exec("from pydantic import BaseModel\\nclass Hidden(BaseModel):\\n    a: int", vars(hidden))
        class Api(Protocol):
            def a(self) -> hidden.Hidden: ...
    """
    (schema,), faults = read_schemas([project({"p10/__init__.py": "", "p10/api.py": text}) / "p10"])
    assert faults == []
    assert [(model.name, model.module) for model in schema.models] == [("Hidden", "p10_hidden")]
