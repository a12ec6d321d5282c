"""Interfaces as pydantic schemas: the same IR as the Protocol that says the same, and what they cannot say."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import pytest

from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Compile, Write

IMPORTS = """\
from __future__ import annotations
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from pydantic import BaseModel, Field
from capnweb_runtime.schema import InterfaceModel, Method, Property, Stub, Writable, interface, raises, wire_name

class Profile(BaseModel):
    id: int
"""

# What one says with a Protocol, and the same with models.
PAIRS = {
    "numbers": (
        """
        class Api(Protocol):
            async def add(self, a: int, b: int) -> int: ...
            @property
            def memory(self) -> float: ...
        """,
        """
        class Add(BaseModel):
            a: int
            b: int
        class Api(InterfaceModel):
            add: Method[Add, int]
            memory: Property[float]
        """,
    ),
    "no parameters": (
        "class Api(Protocol):\n    def clear(self) -> None: ...",
        "class Api(InterfaceModel):\n    clear: Method[None, None]",
    ),
    "defaults": (
        """
        class Api(Protocol):
            async def find(self, word: str, limit: int = 10, kind: Literal["a", "b"] | None = None) -> list[str]: ...
        """,
        """
        class Find(BaseModel):
            word: str
            limit: int = 10
            kind: Literal["a", "b"] | None = None
        class Api(InterfaceModel):
            find: Method[Find, list[str]]
        """,
    ),
    "models and optionals": (
        """
        class Api(Protocol):
            def swap(self, one: Profile, more: dict[str, Profile | None]) -> tuple[Profile, bytes] | None: ...
        """,
        """
        class Swap(BaseModel):
            one: Profile
            more: dict[str, Profile | None]
        class Api(InterfaceModel):
            swap: Method[Swap, tuple[Profile, bytes] | None]
        """,
    ),
    "functions and streams": (
        """
        class Api(Protocol):
            async def watch(self, on_change: Callable[[Profile], None]) -> AsyncIterator[bytes]: ...
        """,
        """
        class Watch(BaseModel):
            on_change: Callable[[Profile], None]
        class Api(InterfaceModel):
            watch: Method[Watch, AsyncIterator[bytes]]
        """,
    ),
    "capabilities": (
        """
        class Node(Protocol):
            def link(self, other: Node, spare: Stub | None, sink: Writable[bytes]) -> list[Node]: ...
            @property
            def next(self) -> Node: ...
        """,
        """
        class Link(BaseModel):
            other: Node
            spare: Stub | None
            sink: Writable[bytes]
        class Node(InterfaceModel):
            link: Method[Link, list[Node]]
            next: Property["Node"]
        """,
    ),
    "docstrings": (
        '''
        class Api(Protocol):
            """What is said of it."""
            def add(self, a: int) -> int:
                """Adds.

                At once.
                """
            @property
            def memory(self) -> int:
                """The sum."""
        ''',
        '''
        class Add(BaseModel):
            a: int
        class Api(InterfaceModel):
            """What is said of it."""
            add: Method[Add, int]
            """Adds.

            At once.
            """
            memory: Property[int]
            """The sum."""
        ''',
    ),
    "inheritance": (
        """
        class Closeable(Protocol):
            def close(self) -> None: ...
        class Loan(Closeable, Protocol):
            @property
            def due(self) -> datetime: ...
        """,
        """
        class Closeable(InterfaceModel):
            close: Method[None, None]
        class Loan(Closeable):
            due: Property[datetime]
        """,
    ),
    "wire names": (
        """
        @interface(case="camel")
        class Api(Protocol):
            def add_up(self, first_one: int) -> int: ...
            @wire_name("taken")
            def given(self) -> int: ...
            @property
            @wire_name("sum")
            def total(self) -> int: ...
        """,
        """
        class AddUp(BaseModel):
            first_one: int
        @interface(case="camel")
        class Api(InterfaceModel):
            add_up: Method[AddUp, int]
            given: Annotated[Method[None, int], wire_name("taken")]
            total: Annotated[Property[int], wire_name("sum")]
        """,
    ),
    "exceptions": (
        """
        class NotFound(Exception):
            user: int
        class Full(Exception): ...
        class Api(Protocol):
            @raises(NotFound, Full)
            def add(self, a: int) -> int: ...
            @property
            @raises(Full)
            def total(self) -> int: ...
        """,
        """
        class NotFound(Exception):
            user: int
        class Full(Exception): ...
        class Add(BaseModel):
            a: int
        class Api(InterfaceModel):
            add: Annotated[Method[Add, int], raises(NotFound, Full)]
            total: Annotated[Property[int], raises(Full)]
        """,
    ),
    "a list of parameters that also travels": (
        """
        class Api(Protocol):
            def set(self, id: int) -> Profile: ...
        """,
        """
        class Api(InterfaceModel):
            set: Method[Profile, Profile]
        """,
    ),
    "constraints": (
        """
        class Api(Protocol):
            def find(
                self, word: Annotated[str, Field(min_length=1)], n: Annotated[int, Field(gt=0, le=9)] = 5
            ) -> Annotated[int, Field(ge=0)]: ...
        """,
        """
        class Find(BaseModel):
            word: Annotated[str, Field(min_length=1)]
            n: int = Field(5, gt=0, le=9)
        class Api(InterfaceModel):
            find: Method[Find, Annotated[int, Field(ge=0)]]
        """,
    ),
    "inherited parameters": (
        """
        class Page(BaseModel):
            start: int = 0
        class Api(Protocol):
            def find(self, start: int = 0, word: str = "") -> int: ...
            def page(self) -> Page: ...
        """,
        """
        class Page(BaseModel):
            start: int = 0
        class Find(Page):
            word: str = ""
        class Api(InterfaceModel):
            find: Method[Find, int]
            page: Method[None, Page]
        """,
    ),
}


def without_positions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_positions(inner) for key, inner in value.items() if key != "position"}
    return [without_positions(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_pair_gives_the_same_ir_and_the_same_module(pair: tuple[str, str], project: Write) -> None:
    made: list[tuple[Any, str]] = []
    for name, text in zip(("as_protocol", "as_model"), pair, strict=True):
        root = project({f"{name}/__init__.py": "", f"{name}/api.py": IMPORTS + dedent(text)})
        compiled = compile_schemas([root / name], f"capnweb-gen {name} --out generated")
        assert compiled.diagnostics == ()
        same = compiled.schemas[0].model_dump_json().replace("as_model", "as_protocol")
        made.append((without_positions(json.loads(same)), compiled.files["api.py"].replace("as_model", "as_protocol")))
    assert made[0] == made[1]


HEAD = "from typing import Annotated\nfrom pydantic import BaseModel, Field, field_validator\n"
HEAD += "from capnweb_runtime.schema import InterfaceModel, Method, Property\n"
TAKES_P = "class Api(InterfaceModel):\n    x: Method[P, int]"
ADD = "class Add(BaseModel):\n    a: int\n"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("class Api(InterfaceModel):\n    x: int", ["6:8: Api.x is neither a Method nor a Property"]),
        ("class Api(InterfaceModel):\n    x: 'Nope[int]'", ["6:8: Api.x: `'Nope[int]'` cannot be evaluated"]),
        ("class Api(InterfaceModel):\n    def x(self) -> int: ...", ["6:9: Api.x is a function, but Api is an"]),
        ("class Api(InterfaceModel):\n    x: Property[int] = 1", ["6:5: Api.x has a value, which would not travel"]),
        ("class Api(InterfaceModel):\n    x = 1", ["6:5: Api.x has a value, which would not travel"]),
        ("class Api(InterfaceModel):\n    class B: ...", ["6:11: a nested class cannot be part of the interface"]),
        ("class Api(InterfaceModel):\n    x: Method[int, int]", ["6:15: Api.x takes int, which lists no parameters"]),
        ("class Api(InterfaceModel):\n    x: Property[int]\n    x: Property[str]", ["7:5: Api.x is declared twice"]),
        (
            "class Api(InterfaceModel):\n    x: Method[\n        None,\n      type[int]]\n    y: Property[complex]",
            ["8:7: Api.x(): type[int] cannot travel", "9:17: Api.y: complex cannot travel"],
        ),
        (
            "class Api(InterfaceModel):\n    x: Annotated[Method[None, type[int]], 1]",
            ["6:31: Api.x(): type[int] cannot"],
        ),
        (
            f"{ADD}    b: Annotated[int, 'odd']\nclass Api(InterfaceModel):\n    x: Method[Add, int]",
            ["7:8: Api.x(), parameter b: Annotated says what nothing would check here"],
        ),
        (
            "class P(BaseModel):\n    s: type[int]\n    d: list[int] = []\n    n: int = 's'\n" + TAKES_P,
            [
                "6:8: Api.x(), parameter s: type[int] cannot travel",
                "7:5: the default of the parameter d of Api.x() is not a number",
                "8:5: the default of the parameter n of Api.x() is 's', which its type excludes",
            ],
        ),
        (
            f"{ADD}    b: int = 1\n    c: int\nclass Api(InterfaceModel):\n    x: Method[Add, int]",
            ["8:5: the parameter c of Api.x() has no default, but b before it has one"],
        ),
        (
            "class P(BaseModel):\n    a: int\n    @field_validator('a')\n    def f(cls, v): return v\n" + TAKES_P,
            ["10:15: P.f validates the parameters of Api.x, but would never be called"],
        ),
    ],
)
def test_what_it_cannot_say_is_refused_where_it_stands(text: str, faults: list[str], compile_text: Compile) -> None:
    found = compile_text(HEAD + text).diagnostics
    shown = [f"{fault.line}:{fault.column}: {fault.message}" for fault in found]
    assert len(shown) == len(faults), shown
    for fault in faults:
        assert any(line.startswith(fault) for line in shown), shown


def test_both_ways_may_stand_in_one_schema(compile_text: Compile) -> None:
    compiled = compile_text(
        HEAD + "class A(InterfaceModel):\n    b: Property['B']\nclass B(Protocol):\n    def a(self) -> A: ..."
    )
    assert compiled.diagnostics == ()
    assert [interface.name for interface in compiled.schemas[0].interfaces] == ["A", "B"]
