"""Reading source: positions, docstrings and what is written, without executing anything."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Literal

import pytest

from capnweb_gen.frontends.python.source import (
    AttributeSource,
    FunctionSource,
    ModuleSource,
    OtherSource,
    SourceError,
    read_source,
)
from capnweb_gen.ir import Position


def read(tmp_path: Path, text: str) -> ModuleSource:
    path = tmp_path / "module.py"
    path.write_text(textwrap.dedent(text), "utf-8")
    return read_source(path)


def test_members_come_in_the_order_of_the_source(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        '''
        """Module."""
        class X:
            """Class."""
            a: int
            b = c = 1
            @property
            def d(self) -> int:
                """Member."""
                ...
            class E: pass
            if True: pass
        ''',
    )
    assert source.doc == "Module."
    assert source.classes["X"].doc == "Class."
    a, b, c, d, nested, statement = source.classes["X"].body
    assert isinstance(a, AttributeSource)
    assert a.annotation is not None
    assert (a.name, a.annotation.text) == ("a", "int")
    assert [entry.name for entry in (b, c) if isinstance(entry, AttributeSource)] == ["b", "c"]
    assert isinstance(d, FunctionSource)
    assert (d.name, d.doc, [decorator.text for decorator in d.decorators]) == ("d", "Member.", ["property"])
    assert [entry.what for entry in (nested, statement) if isinstance(entry, OtherSource)] == [
        "a nested class",
        "this statement",
    ]


def test_bases_decorators_and_assigned_values_have_places_of_their_own(tmp_path: Path) -> None:
    source = read(tmp_path, "# first\nCASE: str = 'camel'\n\n@mark(case=CASE)\nclass X(a.Y[int], Z): ...\n")
    assert source.position == Position(line=2, column=1)
    assert source.values["CASE"].position == Position(line=2, column=13)
    marked = source.classes["X"]
    (decorator,) = marked.decorators
    assert [(argument.text, argument.position.column) for argument in decorator.arguments] == [("CASE", 12)]
    assert [(base.text, base.position.column) for base in marked.bases] == [("a.Y[int]", 9), ("Z", 19)]


def test_positions_count_from_one_and_point_at_names(tmp_path: Path) -> None:
    source = read(tmp_path, "class X:\n    async def m(self, a: int = 3) -> str: ...\n")
    (method,) = source.classes["X"].body
    assert isinstance(method, FunctionSource)
    assert source.classes["X"].position == Position(line=1, column=7)
    assert method.position == Position(line=2, column=15)
    parameter = method.parameters[1]
    assert parameter.position == Position(line=2, column=23)
    assert parameter.annotation is not None
    assert parameter.annotation.position == Position(line=2, column=26)
    assert parameter.default is not None
    assert (parameter.default.text, parameter.default.position) == ("3", Position(line=2, column=32))
    assert method.returns is not None
    assert method.returns.position == Position(line=2, column=38)


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    source = read(tmp_path, "class X:\n    größe: 'Ü'; tiefe: int\n")
    first, second = source.classes["X"].body
    assert isinstance(first, AttributeSource)
    assert isinstance(second, AttributeSource)
    assert first.annotation is not None
    assert second.annotation is not None
    assert (first.annotation.text, second.annotation.text) == ("'Ü'", "int")
    assert (second.position.column, second.annotation.position.column) == (17, 24)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("class X: pass", 1, 7),
        ("class  \\\n  X: pass", 2, 3),
        ("@final\nclass X: pass", 2, 7),
        ("def definite(): ...", 1, 5),
        ("async   def  größe(): ...", 1, 14),
        ("async \\\n def \\\n  classes(): ...", 3, 3),
    ],
)
def test_names_are_found_behind_their_keywords(tmp_path: Path, text: str, line: int, column: int) -> None:
    (declared,) = read(tmp_path, f"class Outer:\n{textwrap.indent(text, '    ')}\n").classes["Outer"].body
    assert declared.position == Position(line=line + 1, column=column + 4)


def test_what_spans_lines_can_be_evaluated_by_itself(tmp_path: Path) -> None:
    text = (
        "class X:\n    def m(self) -> (\n        int\n        | None\n    ): ...\n    a: Literal[\n        1\n    ]\n"
    )
    method, attribute = read(tmp_path, text).classes["X"].body
    assert isinstance(method, FunctionSource)
    assert method.returns is not None
    assert eval(method.returns.text) == int | None
    assert method.returns.position == Position(line=3, column=9)
    assert isinstance(attribute, AttributeSource)
    assert attribute.annotation is not None
    assert eval(attribute.annotation.text) == Literal[1]


def test_line_ends_of_any_kind_are_read(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_bytes(b"\xef\xbb\xbfclass X:\r\n    a: list[\r\n        int]\r\n")
    (attribute,) = read_source(path).classes["X"].body
    assert isinstance(attribute, AttributeSource)
    assert attribute.annotation is not None
    assert attribute.annotation.text == "list[\n        int]"


def test_every_way_of_passing_is_told_apart(tmp_path: Path) -> None:
    source = read(tmp_path, "class X:\n    def m(self, a, /, b, *c, d, **e): ...\n")
    (method,) = source.classes["X"].body
    assert isinstance(method, FunctionSource)
    assert [(parameter.name, parameter.passing) for parameter in method.parameters] == [
        ("self", "positional_only"),
        ("a", "positional_only"),
        ("b", "positional"),
        ("c", "star"),
        ("d", "keyword"),
        ("e", "double_star"),
    ]


def test_what_only_type_checkers_execute_is_kept(tmp_path: Path) -> None:
    source = read(tmp_path, "if TYPE_CHECKING:\n    from a import b\n    C = b\nif other:\n    import d\n")
    assert [ast.unparse(statement) for statement in source.checking] == ["from a import b", "C = b"]


@pytest.mark.parametrize(
    ("text", "line"), [("def f(:\n", 1), ("x = 1\n  y = 2\n", 2), ("x = '\n", 1), ("return\n", 1), ("x = 1\0", 1)]
)
def test_what_is_not_python_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, text)
    assert caught.value.position.line == line


def test_another_encoding_is_read_as_declared(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_bytes('# -*- coding: latin-1 -*-\n"""Größe"""\n'.encode("latin-1"))
    assert read_source(path).doc == "Größe"


def test_a_string_after_an_attribute_describes_it(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        '''
        class X:
            """Class."""
            a: int
            """About a.

            At length.
            """
            b: int
            def c(self): ...
            """About nothing."""
        ''',
    )
    a, b, _ = source.classes["X"].body
    assert isinstance(a, AttributeSource)
    assert isinstance(b, AttributeSource)
    assert (a.doc, b.doc) == ("About a.\n\nAt length.", None)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("'äöü'; x = = 1\n", 12),
        ("'äöü'; return\n", 8),
        ("'äöü漢'; f(a=1, a=2)\n", 16),
        ("'äöü'; x = 'abc\n", 12),
    ],
)
def test_what_is_not_python_is_told_by_characters_whoever_finds_it(tmp_path: Path, text: str, column: int) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, text)
    assert caught.value.position == Position(line=1, column=column)


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        (b"x = 1\ny = '\xff'\n", "this is not text in utf-8", 2),
        (b"# -*- coding: nonsense -*-\n", "unknown encoding: nonsense", 1),
        (b"x = " + b"-" * 100_000 + b"1", ".", 1),
    ],
)
def test_what_is_no_text_is_told(tmp_path: Path, source: bytes, message: str, line: int) -> None:
    path = tmp_path / "module.py"
    path.write_bytes(source)
    with pytest.raises(SourceError, match=message) as caught:
        read_source(path)
    assert caught.value.position.line == line


def test_names_are_those_that_python_keeps(tmp_path: Path) -> None:
    source = read(tmp_path, "ﬁne = 1\nclass Größe:\n    größe: int\n".replace("ö", "o\N{COMBINING DIAERESIS}"))
    assert list(source.values) == ["fine"]
    assert list(source.classes) == ["Größe"]
    (attribute,) = source.classes["Größe"].body
    assert isinstance(attribute, AttributeSource)
    assert attribute.name == "größe"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Made = TypedDict('Made', {'from': str, 'to': int})", {"from": 27, "to": 40}),
        ("Made: type = t.NamedTuple('Made', [('x', int), ('y', int)])", {"x": 37, "y": 49}),
        ("Made = namedtuple('Made', ['x', 'y'])", {"x": 28, "y": 33}),
        ("Made = make_dataclass('Made', ['x', ('y', int, 3)])", {"x": 32, "y": 38}),
        ("Made = create_model('Made', x=(int, ...), y=(str, ''))", {"x": 29, "y": 43}),
        ("from typing import TypedDict as Keys; Made = Keys('Made', {'x': int})", {"x": 60}),
    ],
)
def test_a_class_that_is_made_by_a_call_stands_where_it_is_assigned(
    tmp_path: Path, text: str, places: dict[str, int]
) -> None:
    made = read(tmp_path, f"\n{text}\n").classes["Made"]
    assert (made.position.line, made.position.column) == (2, text.index("Made") + 1)
    found = {entry.name: entry.position.column for entry in made.body if isinstance(entry, AttributeSource)}
    assert found == places


@pytest.mark.parametrize("text", ["A = TypedDict('B', {})", "A = TypeVar('A')", "A = getLogger('A')", "A = TypedDict"])
def test_other_assignments_declare_no_class(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).classes == {}


def test_it_is_kept_where_names_come_from(tmp_path: Path) -> None:
    source = read(tmp_path, "from a.b import c, d as e\ntry:\n    from . import f\nexcept: from ..g import *\n")
    assert source.imports == {"c": ("a.b", "c"), "e": ("a.b", "d"), "f": (".", "f")}
    assert source.stars == ("..g",)
