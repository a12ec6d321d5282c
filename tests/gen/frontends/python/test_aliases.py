"""Names in quotes behind names of other modules: they belong to the module in which they are written."""

from __future__ import annotations

import sys
import typing
from typing import Annotated, Any, ForwardRef, Literal

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import Compiled, compile_schemas
from capnweb_gen.frontends.python.aliases import declared, quoted, source_of, tied
from tests.gen.conftest import Write

COMMON = """
    from __future__ import annotations
    import typing
    from collections.abc import Callable
    from dataclasses import dataclass
    from typing import Annotated, Optional, Protocol, TypeAlias, Union
    import typing_extensions
    from pydantic import BaseModel

    Items = list["Item"]
    Whole: TypeAlias = "Item"
    Later = typing_extensions.TypeAliasType("Later", list["Item"])
    Taken = Callable[["Item"], Optional["Item"]]
    Either = Union["Item", str, None]
    Old = typing.Dict[str, "Item"]
    Noted = Annotated["Item", typing_extensions.Doc("of a shop")]
    Ids = typing.NewType("Ids", "Number")
    Number = int

    T = typing.TypeVar("T")
    D = typing_extensions.TypeVar("D", default="Item")
    Keyed = typing_extensions.TypeAliasType("Keyed", dict[T, "Item"], type_params=(T,))
    Maybe = typing_extensions.TypeAliasType("Maybe", Union[D, None], type_params=(D,))
    Itself = typing_extensions.TypeAliasType("Itself", D, type_params=(D,))

    class Basket(BaseModel, typing.Generic[D]):
        holds: D

    @dataclass
    class Box(typing.Generic[D]):
        holds: D

    class Room(Protocol[D]):
        async def get(self) -> D: ...

    class Heard(Protocol[D]):
        def __call__(self, it: D, times: int = 1) -> None: ...

    class Listener(Protocol):
        def __call__(self, items: Items, /) -> Whole: ...

    class Holder:
        Own = list["Item"]

    class Item(BaseModel):
        sku: str
"""
FURTHER = "from {package}.common import Items\nMany = dict[str, Items]\n"
SHOP = """
    from typing import Protocol
    from pydantic import BaseModel
    from {package} import common, further
    from {package}.common import *
    from {package}.common import Items, Whole as All, Holder, Listener, Ids
    from {package}.further import Many

    Item = int
    Number = str

    class Shop(Protocol):
        async def get(self) -> {annotation}: ...
"""


def compile_shop(project: Write, package: str, annotation: str) -> Compiled:
    files = {
        f"{package}/__init__.py": "",
        f"{package}/common.py": COMMON,
        f"{package}/further.py": FURTHER.format(package=package),
        f"{package}/shop.py": SHOP.format(package=package, annotation=annotation),
    }
    return compile_schemas([project(files) / package], "x")


def models(shape: ir.TypeShape) -> set[str]:
    inside = ir.walk(shape)
    return {f"{one.model.module}.{one.model.name}" for one in inside if isinstance(one, ir.ModelShape)}


ANNOTATIONS = [
    "Items",
    "list[Items]",
    "'Items | None'",
    "All",
    "common.Items",
    "common.Later",
    "Later",
    "Taken",
    "Either",
    "Old",
    "Noted",
    "Many",
    "further.Many",
    "Holder.Own",
    "common.Holder.Own",
    "Listener",
    "Keyed['Number']",
    "Maybe",
    "Itself",
    "Itself[Items]",
]


@pytest.mark.parametrize("number", range(len(ANNOTATIONS)), ids=ANNOTATIONS)
def test_what_is_in_quotes_is_looked_up_where_it_is_written(project: Write, number: int) -> None:
    package = f"al_{number}"
    compiled = compile_shop(project, package, ANNOTATIONS[number])
    assert compiled.diagnostics == ()
    shop = next(schema for schema in compiled.schemas if schema.output == "shop.py")
    (interface,) = shop.interfaces
    (member,) = interface.members
    assert isinstance(member, ir.Method)
    assert models(member.result) == {f"{package}.common.Item"}


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [("Maybe['Number']", ir.OptionalShape(item=ir.Scalar(name="str"))), ("Itself['Item']", ir.Scalar(name="int"))],
)
def test_an_argument_of_an_alias_is_looked_up_where_it_is_given(
    project: Write, annotation: str, shape: ir.TypeShape
) -> None:
    compiled = compile_shop(project, f"al_given_{shape.kind}", annotation)
    assert compiled.diagnostics == ()
    (interface,) = compiled.schemas[-1].interfaces
    (member,) = interface.members
    assert isinstance(member, ir.Method)
    assert member.result == shape


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        ("Basket", "BasketItem"),
        ("Box", "BoxItem"),
        ("Box[common.Later]", "BoxListItem"),
        ("Room", "RoomItem"),
        ("Room['Item']", "RoomInt"),
        ("Room[common.Later]", "RoomListItem"),
        ("Heard", "HeardItem"),
        ("Heard[Maybe['Item']]", "HeardOptionalInt"),
    ],
)
def test_a_generic_is_given_what_its_arguments_and_defaults_mean_where_they_are_written(
    project: Write, annotation: str, name: str
) -> None:
    compiled = compile_shop(project, f"al_{name.lower()}", annotation)
    assert compiled.diagnostics == ()
    shop = next(schema for schema in compiled.schemas if schema.output == "shop.py")
    (member,) = next(one for one in shop.interfaces if one.name == "Shop").members
    assert isinstance(member, ir.Method)
    match member.result:
        case (
            ir.ModelShape(model=reference)
            | ir.InterfaceShape(interface=reference)
            | ir.CallbackShape(callback=reference)
        ):
            assert reference.name == name
        case _:
            raise AssertionError(member.result)


def test_a_new_type_is_made_of_what_its_module_says(project: Write) -> None:
    compiled = compile_shop(project, "al_new", "Ids")
    assert compiled.diagnostics == ()
    (interface,) = compiled.schemas[-1].interfaces
    (member,) = interface.members
    assert isinstance(member, ir.Method)
    assert isinstance(member.result, ir.NewTypeShape)
    assert member.result.item == ir.Scalar(name="int")


def test_type_arguments_of_an_interface_are_looked_up_where_they_are_given(project: Write) -> None:
    files = {
        "al_page/__init__.py": "",
        "al_page/pages.py": """
            from typing import Protocol, TypeVar
            from pydantic import BaseModel
            T = TypeVar("T", covariant=True)
            class Item(BaseModel):
                pages: int
            class Page(Protocol[T]):
                async def first(self) -> T: ...
        """,
        "al_page/shop.py": """
            from typing import Protocol
            from pydantic import BaseModel
            from .pages import Page
            class Shop(Protocol):
                async def page(self) -> "Page[list['Item']]": ...
            class Item(BaseModel):
                price: int
        """,
    }
    compiled = compile_schemas([project(files) / "al_page"], "x")
    assert compiled.diagnostics == ()
    page = next(one for schema in compiled.schemas for one in schema.interfaces if one.generic)
    (member,) = page.members
    assert isinstance(member, ir.Method)
    assert models(member.result) == {"al_page.shop.Item"}


@pytest.mark.parametrize(
    "declaration",
    [
        "class Box(BaseModel):\n    items: Items",
        "class Box(BaseModel):\n    items: 'Items'",
        "class Box(BaseModel):\n    items: dict[str, 'Items | None']",
        "@dataclass\nclass Box:\n    items: Items",
        "@checked\nclass Box:\n    items: Items",
        "class Box(TypedDict):\n    items: Items",
        "@dataclass\nclass Box(Exception):\n    items: Items",
        "class Box(BaseModel):\n    items: Items\nclass More(InterfaceModel):\n    get: Method[Box, None]",
    ],
)
def test_a_class_whose_module_means_something_else_by_it_is_refused(project: Write, declaration: str) -> None:
    name = "al_misread"
    shop = f"""from dataclasses import dataclass
from typing import Protocol, TypedDict
from pydantic import BaseModel
from pydantic.dataclasses import dataclass as checked
from capnweb_runtime.schema import InterfaceModel, Method, raises
from {name}.common import Items

class Item(BaseModel):
    price: int

{declaration}

class Shop(Protocol):
    {"@raises(Box)" if "Exception" in declaration else ""}
    async def get(self) -> {"int" if "Exception" in declaration or "More" in declaration else "Box"}: ...
"""
    files = {f"{name}/__init__.py": "", f"{name}/common.py": COMMON}
    root = project(files)
    (root / name / "shop.py").write_text(shop)
    found = compile_schemas([root / name], "x").diagnostics
    written = declaration.partition("items: ")[2].partition("\n")[0]
    place = shop[: shop.index("items: ")].count("\n") + 1
    message = f"`{written}` has 'Item' in quotes, which is another type in {name}.common than here"
    assert [(fault.file, fault.line, fault.column, fault.message) for fault in found] == [
        (f"{name}/shop.py", place, 12, message)
    ]


def test_the_same_class_under_the_same_name_is_no_fault(project: Write) -> None:
    shop = """
        from typing import Protocol
        from pydantic import BaseModel
        from al_same.common import Item, Items
        class Box(BaseModel):
            items: Items
        class Shop(Protocol):
            async def get(self) -> Box: ...
    """
    files = {"al_same/__init__.py": "", "al_same/common.py": COMMON, "al_same/shop.py": shop}
    assert compile_schemas([project(files) / "al_same"], "x").diagnostics == ()


def test_names_for_type_checkers_count_where_they_are_imported(project: Write) -> None:
    files = {
        "al_check/__init__.py": "",
        "al_check/item.py": "from pydantic import BaseModel\nclass Item(BaseModel):\n    sku: str\n",
        "al_check/common.py": """
            from typing import TYPE_CHECKING, Protocol
            if TYPE_CHECKING:
                from al_check.item import Item
            Items = list["Item"]
            class Other(Protocol):
                async def get(self) -> Items: ...
        """,
        "al_check/shop.py": """
            from typing import Protocol
            from al_check.common import Items
            class Shop(Protocol):
                async def get(self) -> Items: ...
        """,
    }
    assert compile_schemas([project(files) / "al_check"], "x").diagnostics == ()


# ---- parts


@pytest.mark.parametrize(
    ("annotation", "names"),
    [
        ("A", ["A"]),
        (list["A"], ["A"]),  # type: ignore[name-defined]  # noqa: F821  # which is what is tested
        (dict[str, typing.Optional["A"]], ["A"]),  # type: ignore[name-defined]  # noqa: F821
        (Literal["a"], []),
        (Annotated[int, "a"], []),
        (int, []),
    ],
)
def test_only_names_of_types_count_as_quoted(annotation: Any, names: list[str]) -> None:
    found = [name if isinstance(name, str) else name.__forward_arg__ for name in quoted(annotation)]
    assert found == names


def test_a_name_that_knows_its_module_keeps_it() -> None:
    (name,) = quoted(tied(ForwardRef("A", module="first"), "second"))
    assert isinstance(name, ForwardRef)
    assert name.__forward_module__ == "first"


def test_what_is_no_expression_stays_as_it_is() -> None:
    assert tied("1 +", "a") == "1 +"


def test_a_module_without_source_declares_what_it_uses() -> None:
    assert source_of("sys") is None
    assert source_of("no_such_module") is None
    assert declared("sys", "path", sys.path) == ("sys", None)
