"""Which declarations of two versions belong together, which way values go, and that a change is told once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.evolution.compare import compare
from capnweb_gen.evolution.findings import Finding
from capnweb_gen.frontends.ir_json import dump, read_ir
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN

HEAD = """\
from __future__ import annotations
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal, NotRequired, Protocol, TypedDict
from pydantic import BaseModel, Field
from capnweb_runtime.schema import Writable
"""


class Compared:
    """Compares schemas given as text, which are of one module unless they say so."""

    def __init__(self, project: Write) -> None:
        self._project = project
        self._count = 0

    def __call__(self, old: str, new: str, modules: tuple[str, str] = ("api", "api")) -> dict[tuple[str, str], Finding]:
        found = compare(self._read(old, modules[0]), self._read(new, modules[1]))
        told = {(finding.rule.id, finding.path): finding for finding in found}
        assert len(told) == len(found)
        return told

    def _read(self, text: str, module: str) -> tuple[ir.Schema, ...]:
        self._count += 1
        name = f"compared{self._count}"
        folder = self._project({f"{name}/__init__.py": "", f"{name}/api.py": HEAD + text})
        compiled = compile_schemas([folder / name], "capnweb-gen")
        assert not compiled.diagnostics, compiled.diagnostics
        path = folder / f"{name}.json"
        path.write_text(dump(compiled.schemas).replace(f'"{name}.api"', f'"{module}"'), "utf-8")
        schemas, faults = read_ir([path])
        assert not faults, faults
        return schemas


@pytest.fixture
def compared(project: Write) -> Compared:
    return Compared(project)


USER = "class User(BaseModel):\n    name: str\n    age: int\n"
LESS = "class User(BaseModel):\n    name: str\n"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/ir.json")), ids=lambda path: path.parent.name)
def test_a_schema_compared_with_itself_has_not_changed(path: Path) -> None:
    schemas, faults = read_ir([path])
    assert not faults
    assert compare(schemas, schemas) == ()


def test_any_two_schemas_can_be_compared() -> None:
    read = [read_ir([path])[0] for path in sorted(GOLDEN.glob("*/ir.json"))]
    alike = [tuple(_called_api(schema) for schema in schemas) for schemas in read if len(schemas) == 1]
    for old in alike:
        for new in alike:
            compare(old, new)


def _called_api(schema: ir.Schema) -> ir.Schema:
    """A schema under a name that others have, too, its first interface likewise."""
    if not schema.interfaces:
        return schema
    name, text = schema.interfaces[0].name, schema.model_dump_json()
    written = text.replace(f'"{schema.module}"', '"api"').replace(f'"name":"{name}"', '"name":"Main"')
    return ir.Schema.model_validate(json.loads(written))


# ---- which way values go


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        ("def get(self) -> User: ...", "result-field-removed"),
        ("def get(self) -> list[dict[str, User | None]]: ...", "result-field-removed"),
        ("def put(self, user: User) -> None: ...", "argument-field-removed"),
        ("def put(self, *users: User) -> None: ...", "argument-field-removed"),
        ("def get(self) -> AsyncIterator[User]: ...", "result-field-removed"),
        ("def get(self) -> Writable[User]: ...", "argument-field-removed"),
        ("def put(self, users: AsyncIterator[User]) -> None: ...", "argument-field-removed"),
        ("def put(self, call: Callable[[User], None]) -> None: ...", "callback-changed"),
        ("def put(self, call: Callable[[], User]) -> None: ...", "callback-changed"),
    ],
)
def test_a_model_counts_for_the_way_that_its_values_go(compared: Compared, method: str, rule: str) -> None:
    api = f"class Api(Protocol):\n    {method}\n"
    assert set(compared(USER + api, LESS + api)) == {(rule, "User.age")}


def test_of_a_callback_servers_send_the_arguments(compared: Compared) -> None:
    api = "class Api(Protocol):\n    def on(self, call: Callable[[User], None]) -> None: ...\n"
    effects = compared(USER + api, LESS + api)["callback-changed", "User.age"].effects
    assert (effects.old_client.words, effects.new_client.words) == ("breaks", "safe")


def test_of_a_function_that_is_given_servers_take_the_arguments(compared: Compared) -> None:
    api = "class Api(Protocol):\n    def on(self) -> Callable[[User], None]: ...\n"
    effects = compared(USER + api, LESS + api)["callback-changed", "User.age"].effects
    assert (effects.old_client.words, effects.new_client.words) == ("safe", "breaks")


def test_a_model_that_goes_both_ways_is_told_for_each(compared: Compared) -> None:
    api = "class Api(Protocol):\n    def swap(self, user: User) -> User: ...\n"
    assert set(compared(USER + api, LESS + api)) == {
        ("result-field-removed", "User.age"),
        ("argument-field-removed", "User.age"),
    }


def test_a_model_that_holds_itself_is_compared_once(compared: Compared) -> None:
    old = "class Node(BaseModel):\n    next: Node | None = None\n    age: int\n"
    api = "class Api(Protocol):\n    def get(self) -> Node: ...\n    def all(self) -> list[Node]: ...\n"
    assert set(compared(old + api, old.replace("    age: int\n", "") + api)) == {("result-field-removed", "Node.age")}


LISTENER = "class Listener(Protocol):\n    def on(self, user: int) -> str: ...\n"
TOLD = LISTENER.replace("user: int", "user: int | None").replace("-> str", "-> str | None")


@pytest.mark.parametrize(
    ("method", "rules"),
    [
        ("def add(self, listener: Listener) -> None: ...", {"result-widened", "parameter-widened"}),
        ("def get(self) -> Listener: ...", {"parameter-widened", "result-widened"}),
    ],
)
def test_an_interface_counts_for_who_serves_it(compared: Compared, method: str, rules: set[str]) -> None:
    api = f"class Api(Protocol):\n    {method}\n"
    found = compared(LISTENER + api, TOLD + api)
    assert {rule for rule, _ in found} == rules
    by_clients = "add" in method
    # What servers send to clients is a result by its rules, be it what they pass to a listener.
    assert ("result-widened", "Listener.on.user" if by_clients else "Listener.on") in found
    assert ("parameter-widened", "Listener.on" if by_clients else "Listener.on.user") in found


def test_what_a_client_serves_needs_a_new_method_at_once(compared: Compared) -> None:
    api = "class Api(Protocol):\n    def add(self, listener: Listener) -> None: ...\n"
    more = LISTENER + "    def end(self) -> None: ...\n"
    effects = compared(LISTENER + api, more + api)["member-added", "Listener.end"].effects
    assert (effects.old_client.words, effects.new_client.words) == ("breaks", "safe")
    back = compared(more + api, LISTENER + api)["member-removed", "Listener.end"].effects
    assert (back.old_client.words, back.new_client.words) == ("safe", "breaks")


# ---- what belongs together


def test_an_interface_that_others_inherit_is_told_where_it_is_declared(compared: Compared) -> None:
    old = (
        "class Base(Protocol):\n    def a(self) -> int: ...\nclass Api(Base, Protocol):\n    def b(self) -> int: ...\n"
    )
    assert set(compared(old, old.replace("a(self) -> int", "a(self) -> str"))) == {("representation-changed", "Base.a")}


def test_a_member_that_moved_to_a_base_has_not_changed(compared: Compared) -> None:
    old = "class Api(Protocol):\n    def a(self) -> int: ...\n"
    new = "class Base(Protocol):\n    def a(self) -> int: ...\nclass Api(Base, Protocol): ...\n"
    assert compared(old, new) == {}


def test_an_interface_is_known_by_its_members(compared: Compared) -> None:
    old = "class Api(Protocol):\n    def a(self, x: int) -> int: ...\n"
    new = old.replace("Api", "Service").replace("x: int", "x: str")
    assert set(compared(old, new)) == {
        ("declaration-renamed", "Service"),
        ("representation-changed", "Service.a.x"),
    }


def test_a_module_that_was_moved_is_told_for_each_interface(compared: Compared) -> None:
    old = "class Api(Protocol):\n    def a(self) -> int: ...\n"
    found = compared(old, old, ("api", "service.api"))
    assert found["declaration-renamed", "Api"].message == "api.Api is service.api.Api now"


def test_an_interface_that_sessions_begin_with_may_not_go(compared: Compared) -> None:
    old = "class Api(Protocol):\n    def a(self) -> int: ...\nclass Admin(Protocol):\n    def b(self) -> int: ...\n"
    new = "class Api(Protocol):\n    def a(self) -> int: ...\n"
    assert set(compared(old, new)) == {("member-removed", "Admin")}


def test_an_interface_that_is_given_is_told_where_it_is_not_given_any_more(compared: Compared) -> None:
    admin = "class Admin(Protocol):\n    def b(self) -> int: ...\n"
    old = admin + "class Api(Protocol):\n    def admin(self) -> Admin: ...\n"
    assert set(compared(old, "class Api(Protocol): ...\n")) == {("member-removed", "Api.admin")}


def test_a_member_with_another_name_on_the_wire_says_so(compared: Compared) -> None:
    old = "class Api(Protocol):\n    def get_all(self) -> int: ...\n"
    found = compared(old, 'WIRE_CASE = "camel"\n' + old)
    message = "it was called 'get_all' on the wire, and is called 'getAll'"
    assert found["member-removed", "Api.get_all"].message == message
    assert ("member-added", "Api.get_all") in found


def test_members_of_a_union_are_known_by_their_tags(compared: Compared) -> None:
    a = 'class A(BaseModel):\n    kind: Literal["a"] = "a"\n    x: int\n'
    b = 'class B(BaseModel):\n    kind: Literal["b"] = "b"\n'
    api = "class Api(Protocol):\n    def get(self) -> A | B: ...\n"
    new = a.replace("A(", "First(").replace("x: int", "x: str") + b + api.replace("A | B", "B | First")
    assert set(compared(a + b + api, new)) == {
        ("declaration-renamed", "Api.get"),
        ("representation-changed", "First.x"),
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Literal['a']", "Literal['a', 'b', 1]", "it may also be 'b' or 1"),
        ("int", "int | None", "it may also be None"),
        ("int", "int | str", "it was int, and is int | str"),
        ("Annotated[int, Field(le=3)]", "int", "more values are allowed"),
    ],
)
def test_a_wider_type_says_what_it_has_gained(compared: Compared, old: str, new: str, message: str) -> None:
    api = "class Api(Protocol):\n    def get(self) -> {}: ...\n"
    assert compared(api.format(old), api.format(new))["result-widened", "Api.get"].message == message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("a: int, b: int", "b: int, a: int", {("parameter-moved", "Api.f")}),
        ("a: int", "b: int, a: int", {("parameter-moved", "Api.f.b")}),
        ("a: int, b: int", "b: int", {("parameter-moved", "Api.f.a")}),
        ("a: int, b: int", "a: int, c: str", {("parameter-renamed", "Api.f.c"), ("representation-changed", "Api.f.c")}),
        ("a: int, /", "b: int, /", set()),
        ("*a: int", "*b: str", {("representation-changed", "Api.f.b")}),
        ("a: int", "a: int, *b: int", {("optional-parameter-added", "Api.f.b")}),
        ("a: int, *b: int", "a: int", {("parameter-removed", "Api.f.b")}),
        ("a: int, *b: int", "a: int, c: int, *b: int", {("parameter-moved", "Api.f.c")}),
        ("*, a: int, b: int", "*, b: int, a: int", set()),
        ("*, a: int = 1", "*, a: int = 2", {("default-changed", "Api.f.a")}),
    ],
)
def test_parameters_are_compared_by_how_they_travel(
    compared: Compared, old: str, new: str, told: set[tuple[str, str]]
) -> None:
    api = "class Api(Protocol):\n    def f(self, {}) -> None: ...\n"
    assert set(compared(api.format(old), api.format(new))) == told


def test_a_field_that_got_a_default_and_one_that_lost_it(compared: Compared) -> None:
    dot = "class Dot(TypedDict):\n    x: int\n    y: {}\n"
    get = "class Api(Protocol):\n    def get(self) -> Dot: ...\n"
    put = "class Api(Protocol):\n    def put(self, dot: Dot) -> None: ...\n"
    often, sometimes = dot.format("int"), dot.format("NotRequired[int]")
    assert set(compared(often + get, sometimes + get)) == {("result-field-removed", "Dot.y")}
    assert set(compared(sometimes + get, often + get)) == {("result-field-added", "Dot.y")}
    assert set(compared(often + put, sometimes + put)) == {("argument-field-removed", "Dot.y")}
    assert set(compared(sometimes + put, often + put)) == {("argument-field-required", "Dot.y")}
