"""Scope: imports exactly as used, in the order that sorters give them, and no name that a member shadows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capnweb_gen import graph, ir
from capnweb_gen.backends.python.scope import Scope

HERE = ir.Position(line=1, column=1)


def schema(
    module: str, output: str, *members: str, needs: str | None = None, model: str | None = None, name: str = "Api"
) -> ir.Schema:
    result: ir.TypeShape = ir.Scalar(name="none")
    if needs is not None:
        result = ir.InterfaceShape(interface=ir.Reference(module=needs, name="Api"))
    methods = tuple(ir.Method(name=name, wire=name, result=result, position=HERE) for name in members)
    models = (ir.Model(name=model, module=module, path="x.py", position=HERE),) if model else ()
    interface = ir.Interface(name=name, members=methods, position=HERE)
    return ir.Schema(module=module, path="x.py", output=output, interfaces=(interface,), models=models)


def scope(*schemas: ir.Schema) -> Scope:
    peers = graph.by_module(schemas)
    return Scope(schemas[0], peers, graph.cyclic(schemas[0], peers))


def test_nothing_is_imported_before_it_is_spelled() -> None:
    assert scope(schema("a", "a.py")).import_blocks() == []


def test_imports_are_grouped_and_sorted() -> None:
    names = scope(schema("a", "deep/a.py"), schema("b", "b.py", name="Other"))
    for module, name in [
        ("typing", "Any"),
        ("schemas.a", "Profile"),
        ("collections.abc", "Sequence"),
        ("typing_extensions", "TypeVar"),
        ("collections.abc", "Callable"),
        ("abc", "abstractmethod"),
    ]:
        assert names.imported(module, name) == name
    assert names.generated(ir.Reference(module="b", name="Other"), lambda name: f"{name}Stub") == "OtherStub"
    assert names.generated(ir.Reference(module="b", name="Other"), str.upper) == "OTHER"
    assert names.import_blocks() == [
        ["from abc import abstractmethod", "from collections.abc import Callable, Sequence", "from typing import Any"],
        ["from typing_extensions import TypeVar"],
        ["from schemas.a import Profile"],
        ["from ..b import OTHER, OtherStub"],
    ]


@pytest.mark.any_python  # ruff is what knows
def test_names_are_sorted_as_ruff_sorts_them() -> None:
    names = scope(schema("a", "a.py"))
    for name in ["Item10", "LeaseLost", "Item2", "HTTPServer", "Leased", "Http", "ITEM_10", "ITEM_2", "Item02", "item"]:
        names.imported("schemas.shop10", name)
        names.imported("schemas.shop2", name)
    found = "\n".join(line for block in names.import_blocks() for line in block)
    sort = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=I", "--fix", "--quiet", "--line-length=120"]
    done = subprocess.run(
        [*sort, "--stdin-filename=a.py", "-"], input=found + "\n", text=True, capture_output=True, check=True
    )
    assert done.stdout == found + "\n"


def test_builtins_that_a_member_shadows_are_qualified() -> None:
    names = scope(schema("a", "a.py", "int"))
    assert names.builtin("int") == "builtins.int"
    assert names.builtin("str") == "str"
    assert names.import_blocks() == [["import builtins"]]


def test_imports_that_a_member_shadows_get_an_underscore() -> None:
    names = scope(schema("a", "a.py", "datetime"))
    assert names.imported("datetime", "datetime") == "datetime_"
    assert names.import_blocks() == [["from datetime import datetime as datetime_"]]


def test_supporting_imports_make_way_for_a_model_of_that_name() -> None:
    names = scope(schema("a", "a.py", model="Callable"))
    assert names.imported("collections.abc", "Callable") == "Callable_"
    assert names.imported("a", "Callable") == "Callable"


def test_own_names_need_no_import() -> None:
    names = scope(schema("a", "a.py"))
    assert names.generated(ir.Reference(module="a", name="Api"), lambda name: f"{name}Stub") == "ApiStub"
    assert names.import_blocks() == []


def test_names_of_modules_in_a_cycle_are_looked_up_when_used() -> None:
    names = scope(schema("a", "shop/a.py", "m", needs="b"), schema("b", "shop/b.py", "m", needs="a"))
    reference = ir.Reference(module="b", name="Api")
    assert names.is_cyclic(reference)
    assert names.generated(reference, lambda name: f"{name}Stub") == "b.ApiStub"
    assert names.import_blocks() == [["from . import b"]]


def test_names_of_modules_in_a_cycle_are_found_in_other_folders() -> None:
    names = scope(schema("a", "shop/a.py", "m", needs="b"), schema("b", "pay/b.py", "m", needs="a"))
    assert names.generated(ir.Reference(module="b", name="Api"), lambda name: f"{name}Stub") == "b.ApiStub"
    assert names.import_blocks() == [["from ..pay import b"]]


def test_foreign_models_belong_to_the_module_that_uses_them() -> None:
    names = scope(schema("a", "a.py"))
    assert names.generated(ir.Reference(module="somewhere.else", name="Model"), str.lower) == "model"
    assert names.import_blocks() == []
