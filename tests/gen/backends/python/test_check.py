"""What a generated module in Python cannot say: told with all else that is wrong, and to nobody who makes something
else of a schema.
"""

from __future__ import annotations

import pytest

from capnweb_gen.backends.plugins import load
from capnweb_gen.compiler import compile_schemas, read
from tests.gen.conftest import Compile, Write


def messages(compile_text: Compile, text: str) -> list[str]:
    return [fault.message for fault in compile_text(text).diagnostics]


@pytest.mark.parametrize("name", ["rpc", "dict", "property", "value", "x", "self"])
@pytest.mark.parametrize(
    "declaration",
    ["class {name}(BaseModel):\n    a: int", "class {name}(Enum):\n    A = 1", "{name} = NewType('{name}', int)"],
)
def test_a_class_must_not_hide_what_generated_modules_need(compile_text: Compile, name: str, declaration: str) -> None:
    head = "from enum import Enum\nfrom typing import NewType\nfrom pydantic import BaseModel\n"
    use = f"class Api(Protocol):\n    async def get(self) -> '{name}': ...\n"
    found = messages(compile_text, f"{head}{declaration.format(name=name)}\n{use}")
    assert found == [f"{name} has a name that every generated module uses itself"]


def test_nor_a_module_that_needs_its_own(project: Write) -> None:
    files = {
        "cyc/__init__.py": "",
        "cyc/cart.py": """
            from __future__ import annotations
            from typing import TYPE_CHECKING, Protocol
            if TYPE_CHECKING:
                from cyc.order import Order
            class Basket(Protocol):
                def order(self) -> Order: ...
        """,
        "cyc/order.py": """
            from typing import Protocol
            from pydantic import BaseModel
            from cyc.cart import Basket
            class cart(BaseModel):
                a: int
            class Order(Protocol):
                def basket(self) -> Basket: ...
                def copy(self) -> "cart": ...
        """,
    }
    found = compile_schemas([project(files) / "cyc"], "x").diagnostics
    assert [(fault.file, fault.message) for fault in found] == [
        ("cyc/order.py", "cart has a name that every generated module uses itself")
    ]


@pytest.mark.parametrize("name", ["user", "Value", "TimeoutError", "Sequence", "abstractmethod", "Literal", "matrix"])
def test_other_names_of_models_and_exceptions_are_fine(compile_text: Compile, name: str) -> None:
    text = f"""
        from pydantic import BaseModel
        from capnweb_runtime.schema import raises

        class {name}(BaseModel):
            a: int

        class Gone(Exception): ...

        class Api(Protocol):
            async def get(self, {name.lower()}: int) -> list[{name}]: ...
    """
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    exec(compile(compiled.files["api.py"], "api.py", "exec"), {})


def test_an_exception_may_be_called_as_what_generated_modules_import(compile_text: Compile) -> None:
    text = """
        from capnweb_runtime.schema import raises

        class Sequence(Exception): ...

        class Api(Protocol):
            @raises(Sequence)
            async def get(self) -> list[int]: ...
    """
    compiled = compile_text(text)
    assert "from collections.abc import Sequence as Sequence_" in compiled.files["api.py"]
    assert "from schemas.api import Sequence\n" in compiled.files["api.py"]


TAKEN = "class Api(Protocol):\n    async def rpc(self) -> int: ...\n"


def test_faults_of_a_schema_and_of_its_module_come_in_one_run(compile_text: Compile) -> None:
    assert messages(compile_text, f"{TAKEN}    x: int\n") == [
        "Api.rpc() has a name that every generated module uses itself",
        "Api.x is an attribute",
    ]


@pytest.mark.parametrize("backend", ["json-schema", "markdown", "openrpc"])
def test_other_back_ends_have_no_such_names(project: Write, backend: str) -> None:
    head = "from typing import Protocol\nfrom dataclasses import dataclass\n"
    models = "@dataclass\nclass Page:\n    a: int\n@dataclass\nclass PagePromise:\n    a: Page\n"
    root = project(
        {"k1/__init__.py": "", "k1/api.py": f"{head}{models}{TAKEN}    async def page(self) -> PagePromise: ...\n"}
    )
    assert read([root / "k1"])[1] == []
    compiled = compile_schemas([root / "k1"], "x", load(backend))
    assert compiled.diagnostics == ()
    assert compiled.files
    assert [fault.message for fault in compile_schemas([root / "k1"], "x").diagnostics] == [
        "PagePromise and Page both need the name PagePromise in the generated module",
        "Api.rpc() has a name that every generated module uses itself",
    ]


def test_two_types_of_one_name_are_told_whatever_is_made(project: Write) -> None:
    model = "from dataclasses import dataclass\n@dataclass\nclass Page:\n    a: int\n"
    head = "from typing import Protocol\nfrom . import one, two\n"
    api = f"{head}class Api(Protocol):\n    def get(self, a: one.Page) -> two.Page: ...\n"
    root = project({"k2/__init__.py": "", "k2/one.py": model, "k2/two.py": model, "k2/api.py": api})
    for backend in (None, load("json-schema")):
        (fault,) = compile_schemas([root / "k2"], "x", backend).diagnostics
        assert fault.message == "two types are called Page: in k2.one and in k2.two"
