"""Names that TypeScript can have."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.backends.typescript import names


@pytest.mark.parametrize(
    ("name", "spelled"), [("Profile", "Profile"), ("Record", "Record_"), ("Date", "Date_"), ("let", "let_")]
)
def test_a_type_is_called_as_in_python_unless_something_else_is(name: str, spelled: str) -> None:
    assert names.type_name(name) == spelled


@pytest.mark.parametrize(
    ("wire", "spelled"),
    [
        ("findUser", "findUser"),
        ("delete", "delete"),
        ("new", '"new"'),
        ("in-reply-to", '"in-reply-to"'),
        ("2nd", '"2nd"'),
        ("größe", '"größe"'),
        ("$ref", "$ref"),
    ],
)
def test_members_are_quoted_where_they_are_no_identifiers(wire: str, spelled: str) -> None:
    assert names.member(wire) == spelled


def test_parameters_are_no_words_of_the_language_and_differ() -> None:
    assert names.parameters(["this", "default", "a", "this_"]) == ["this_", "default_", "a", "this__"]


@pytest.mark.parametrize(
    ("wire", "name"), [("findUser", "find_user"), ("from", "from_"), ("find_user", "find_user"), ("OPEN", "open")]
)
def test_a_reader_expects_the_name_in_snake_case(wire: str, name: str) -> None:
    assert names.expected(wire) == name


@pytest.mark.parametrize(
    ("here", "there", "spelled"),
    [
        ("shop.py", "common.py", "./common.js"),
        ("a/shop.py", "common.py", "../common.js"),
        ("shop.py", "a/common.py", "./a/common.js"),
        ("a/b/shop.py", "a/c/common.py", "../c/common.js"),
        ("a/shop.py", "a.py", "../a.js"),
    ],
)
def test_files_name_each_other_by_what_runs(here: str, there: str, spelled: str) -> None:
    schemas = [ir.Schema(module=output, path=output, output=output) for output in (here, there)]
    assert names.specifier(schemas[0], schemas[1]) == spelled
    assert names.output(schemas[0]) == f"{here[:-3]}.ts"
