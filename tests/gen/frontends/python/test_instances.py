"""Generic interfaces with type arguments: each once, in a module that no other has to go in circles for."""

from __future__ import annotations

import sys
from typing import Any, Literal, Protocol, TypeVar

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.instances import DEEPEST, Instances
from tests.gen.conftest import Compile, Write

T_co = TypeVar("T_co", covariant=True)
HERE = ir.Position(line=1, column=1)
DECLARED = """
from typing import Generic, TypeVar
import typing_extensions
from pydantic import BaseModel
from capnweb_runtime.schema import InterfaceModel, Method, Property
T = TypeVar("T")
class Item(BaseModel):
    id: int
"""


class Page(Protocol[T_co]):
    pass


def body(instance: ir.Reference) -> ir.Interface:
    return ir.Interface(name=instance.name, position=HERE)


def test_the_same_arguments_are_the_same_interface() -> None:
    instances = Instances()
    assert not instances
    assert (
        instances.named(Page, (int,)) == instances.named(Page, (int,)) == ir.Reference(module=__name__, name="PageInt")
    )
    assert instances.named(Page, (str,)).name == "PageStr"
    assert [instance.written for instance in instances.found()] == ["Page[int]", "Page[str]"]


def test_each_gets_the_module_that_needs_most_of_those_concerned() -> None:
    instances = Instances()
    instances.named(Page, (ir.Scalar,))
    (instance,) = instances.found()
    assert instance.modules() == {__name__, "capnweb_gen.ir"}
    schemas = [ir.Schema(module=name, path="", output="") for name in (__name__, "capnweb_gen.ir")]
    compiled = {schema.module for schema in schemas}
    instances.settle(schemas, {instance: body(instances.named(Page, (ir.Scalar,)))}, compiled)
    assert instances.named(Page, (ir.Scalar,)).module == __name__
    assert instances.of(__name__) == (instance,)
    assert instances.of("capnweb_gen.ir") == ()


def test_one_from_elsewhere_stands_where_it_is_named_and_the_fewest_others_are_needed() -> None:
    instances = Instances()
    named = instances.named(Page, (int,))
    (instance,) = instances.found()
    names = ir.InterfaceShape(interface=named)
    needs = ir.InterfaceShape(interface=ir.Reference(module="b", name="B"))

    def schema(module: str, *results: ir.TypeShape) -> ir.Schema:
        methods = tuple(
            ir.Method(name=f"m{number}", wire=f"m{number}", result=result, position=HERE)
            for number, result in enumerate(results)
        )
        interface = ir.Interface(name=module.upper(), members=methods, position=HERE)
        return ir.Schema(module=module, path="", output="", interfaces=(interface,))

    schemas = [schema("a", names, needs), schema("b", names), schema("c")]
    instances.settle(schemas, {instance: body(named)}, {"a", "b", "c"})
    assert instances.named(Page, (int,)).module == "b"


def test_an_argument_without_a_name_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"Page\[Literal\['a'\]\] has no name of its own"):
        Instances().named(Page, (Literal["a"],))


def test_what_needs_ever_more_of_itself_is_refused_at_some_depth() -> None:
    instances = Instances()
    argument: Any = int
    instances.named(Page, (argument,))
    for _ in range(DEEPEST - 1):
        instances.reading(instances.found()[-1])
        argument = list[argument]
        instances.named(Page, (argument,))
    instances.reading(instances.found()[-1])
    with pytest.raises(UnsupportedTypeError, match="without end"):
        instances.named(Page, (list[argument],))
    assert instances.named(Page, (int,)).name == "PageInt"


# ---- read from schemas


def names(compile_text: Compile, text: str) -> list[str]:
    compiled = compile_text(DECLARED + text)
    assert compiled.diagnostics == ()
    return [interface.name for interface in compiled.schemas[0].interfaces if interface.generic]


def test_a_default_is_the_same_as_giving_it(compile_text: Compile) -> None:
    declared = """
D = typing_extensions.TypeVar("D", default=int)
class Cell(Protocol[D]):
    def get(self) -> D: ...
class Api(Protocol):
    def a(self) -> Cell: ...
    def b(self) -> Cell[int]: ...
    def c(self) -> list[Cell["Item"]]: ...
"""
    assert names(compile_text, declared) == ["CellInt", "CellItem"]


def test_a_default_may_be_made_of_the_type_parameters_before_it(compile_text: Compile) -> None:
    declared = """
D = typing_extensions.TypeVar("D", default=list[T])
class Cell(Protocol[T, D]):
    def get(self) -> D: ...
class Api(Protocol):
    def a(self) -> Cell[int]: ...
    def b(self) -> Cell[int, str]: ...
"""
    assert names(compile_text, declared) == ["CellIntListInt", "CellIntStr"]


def test_generic_interfaces_name_each_other_and_themselves(compile_text: Compile) -> None:
    declared = """
class Page(Protocol[T]):
    def next(self) -> "Page[T] | None": ...
    def tree(self) -> "Tree[T, str]": ...
U = TypeVar("U")
class Tree(Protocol[T, U]):
    def turned(self) -> "Tree[U, T]": ...
class Api(Protocol):
    def a(self) -> Page[Item]: ...
"""
    assert names(compile_text, declared) == ["PageItem", "TreeItemStr", "TreeStrItem"]


def test_what_is_inherited_is_of_the_type_arguments_too(compile_text: Compile) -> None:
    compiled = compile_text(
        DECLARED
        + """
class Page(Protocol[T]):
    def get(self) -> T: ...
class Sorted(Page[list[T]], Protocol[T]): ...
class Api(Protocol):
    def a(self) -> Sorted[Item]: ...
"""
    )
    by_name = {interface.name: interface for interface in compiled.schemas[0].interfaces}
    assert [base.name for base in by_name["SortedItem"].bases] == ["PageListItem"]
    (get,) = by_name["PageListItem"].members
    assert isinstance(get, ir.Method)
    assert isinstance(get.result, ir.ListShape)


def test_both_ways_to_declare_give_the_same(project: Write) -> None:
    protocol = """
class Box(Protocol[T]):
    def put(self, item: T, times: int = 1) -> None: ...
    @property
    def all(self) -> list[T]: ...
"""
    model = """
class Put(BaseModel, Generic[T]):
    item: T
    times: int = 1
class Box(InterfaceModel, Generic[T]):
    put: Method[Put[T], None]
    all: Property[list[T]]
"""
    use = "class Api(Protocol):\n    def a(self) -> Box[Item]: ...\n"
    head = "from typing import Protocol\n"
    root = project(
        {
            "schemas/__init__.py": "",
            "schemas/one.py": head + DECLARED + protocol + use,
            "schemas/two.py": head + DECLARED + model + use,
        }
    )
    one, two = compile_schemas([root / "schemas"], "capnweb-gen").schemas

    def meaning(schema: ir.Schema) -> list[list[tuple[str, ir.TypeShape | tuple[ir.TypeShape, ...]]]]:
        return [
            [
                (m.name, m.type if isinstance(m, ir.Property) else (*(p.type for p in m.parameters), m.result))
                for m in interface.members
            ]
            for interface in schema.interfaces
        ]

    assert repr(meaning(one)) == repr(meaning(two)).replace("schemas.two", "schemas.one")
    assert "BoxItem" in {interface.name for interface in two.interfaces}


def test_faults_in_a_generic_interface_are_told_once_and_where_they_are(project: Write) -> None:
    head = "from typing import Protocol, TypeVar\nT = TypeVar('T')\n"
    root = project(
        {
            "schemas/__init__.py": "",
            "schemas/pages.py": head + "class Page(Protocol[T]):\n    def get(self, to: object) -> T: ...\n",
            "schemas/uses.py": "from typing import Protocol\nfrom schemas.pages import Page\n"
            "class Api(Protocol):\n    def a(self) -> Page[int]: ...\n    def b(self) -> Page[str]: ...\n",
        }
    )
    (fault,) = compile_schemas([root / "schemas"], "capnweb-gen").diagnostics
    assert (fault.location, fault.message) == (
        "schemas/pages.py:4:23",
        "Page.get(), parameter to: object cannot travel",
    )


PEP_695 = """
class Page[T](Protocol):
    def get(self) -> T: ...
    def next(self) -> "Page[T] | None": ...
class Limited[T: (int, str)](Page[T], Protocol): ...
class Api(Protocol):
    def a(self) -> Page[Item]: ...
    def b(self) -> Limited[int]: ...
"""


def test_type_parameters_may_be_written_as_new_pythons_have_them(compile_text: Compile) -> None:
    """Which older ones do not: there it is a syntax error, and told as one."""
    if sys.version_info >= (3, 12):
        assert names(compile_text, PEP_695) == ["LimitedInt", "PageInt", "PageItem"]
    else:
        (fault,) = compile_text(DECLARED + PEP_695).diagnostics
        assert "syntax error" in fault.message


def test_two_that_get_the_same_name_are_refused(compile_text: Compile) -> None:
    declared = """
class Page(Protocol[T]):
    def get(self) -> T: ...
class ListInt(BaseModel): ...
class Api(Protocol):
    def a(self) -> Page[list[int]]: ...
    def b(self) -> Page[ListInt]: ...
"""
    (fault,) = compile_text(DECLARED + declared).diagnostics
    assert (
        fault.message
        == "a generic interface with its type arguments becomes PageListInt, but something else here has that name"
    )
