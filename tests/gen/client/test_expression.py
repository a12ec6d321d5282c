"""What can be typed: exactly calls, attributes, items and literals; everything else is underlined, and nothing is ever
evaluated.
"""

from __future__ import annotations

import pytest

from capnweb_gen.client.expression import (
    LONGEST,
    Attribute,
    Call,
    Chain,
    Constant,
    ExpressionError,
    Item,
    Mapping,
    Node,
    Sequence,
    Span,
    parse,
    parse_line,
)


def plain(node: Node) -> object:
    """A node as plain data."""
    match node:
        case Constant(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(entries=entries):
            return {key.value: plain(value) for key, value in entries}
        case Chain(name=name, steps=steps):
            return (name, *map(step, steps))


def step(one: Attribute | Item | Call) -> object:
    match one:
        case Attribute(name=name):
            return f".{name}"
        case Item(key=key):
            return key
        case Call(arguments=arguments, keywords=keywords):
            return [plain(each) for each in arguments], {name: plain(each) for name, _, each in keywords}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", ".b", ".c")),
        ("a[0]['k']", ("a", 0, "k")),
        ("a()", ("a", ([], {}))),
        ("a(1, x=2)(3).b", ("a", ([1], {"x": 2}), ([3], {}), ".b")),
        ("a(b(c()).d[1])", ("a", ([("b", ([("c", ([], {}))], {}), ".d", 1)], {}))),
        ("a([1, -2.5, +3, 'x' 'y'], b'z')", ("a", ([[1, -2.5, 3, "xy"], b"z"], {}))),
        ("a([True, None], {'k': [], 1: ()})", ("a", ([[True, None], {"k": [], 1: []}], {}))),
        ("  a(\n  1,\n)  ", ("a", ([1], {}))),
        ("größe('ü')", ("größe", (["ü"], {}))),
    ],
)
def test_chains_of_calls_attributes_and_items_are_read(text: str, read: object) -> None:
    assert plain(parse(text)) == read


@pytest.mark.parametrize(
    ("text", "underlined", "message"),
    [
        ("", "", "nothing is asked for"),
        ("# a", "# a", "nothing is asked for"),
        ("a(", "(", "'(' was never closed"),
        ("a('x", "'", "unterminated string literal"),
        ("a b", "b", "invalid syntax"),
        ("a(1 2)", "1 2", "invalid syntax"),
        ("a.b(1 + 2)", "1 + 2", "arithmetic cannot be used here"),
        ("a(b if c else d)", "b if c else d", "a condition cannot be used here"),
        ("a(lambda: 1)", "lambda: 1", "a function cannot be used here"),
        ("a([x for x in y])", "[x for x in y]", "a comprehension cannot be used here"),
        ("a(f'{b}')", "f'{b}'", "an f-string cannot be used here"),
        ("a({1, 2})", "{1, 2}", "a set cannot be used here"),
        ("a(*b)", "*b", "`*` cannot be used here"),
        ("a(**b)", "**b", "`**` cannot be used here"),
        ("a({**b})", "{**b}", "`**` cannot be used here"),
        ("a[1:2]", "1:2", "a slice cannot be used here"),
        ("a[-1]", "-1", "items are counted from 0"),
        ("a[b]", "b", "an item is asked for by a number or a string"),
        ("a[True]", "True", "an item is asked for by a number or a string"),
        ("a({b: 1})", "b", "keys are strings or integers"),
        ("a(1j)", "1j", "this cannot be used here"),
        ("a(...)", "...", "this cannot be used here"),
        ("(await a)", "await a", "await cannot be used here"),
        ("not a", "not a", "an operator cannot be used here"),
        ("(a := 1)", "a := 1", "`:=` cannot be used here"),
        ("'x'.upper()", "'x'", "a literal has nothing to ask for"),
        ("a; b", "b", "one thing is asked at a time"),
        ("import os", "import os", "this is a statement"),
        ("a.b = 1", "a.b", "a result is kept under one name alone"),
        ("ü('é').x + 1", "ü('é').x + 1", "arithmetic cannot be used here"),
        ("a(\n  1 + 1\n)", "1 + 1", "arithmetic cannot be used here"),
    ],
)
def test_what_cannot_be_asked_is_underlined(text: str, underlined: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.message == message
    assert text[caught.value.span.start : caught.value.span.end] == underlined


def test_what_python_cannot_read_at_all_is_refused() -> None:
    with pytest.raises(ExpressionError, match="null bytes"):
        parse("a(\x00)")


def fault_of(text: str) -> Span | None:
    try:
        parse(text)
    except ExpressionError as error:
        return error.span
    return None


def test_every_character_of_what_was_typed_may_be_cut_off() -> None:
    text = "a('é', [1, {'k': b.c[0]}], x=-1).ü"
    for end in range(len(text)):
        span = fault_of(text[:end])
        assert span is None or 0 <= span.start <= span.end <= max(end, 1)


@pytest.mark.parametrize("text", ["a(" * 5000, "a" + "[0]" * 5000, "a(" + "[" * 3000, "a" * (LONGEST + 1), "-" * 5000])
def test_what_is_too_deep_or_too_long_is_refused_or_read(text: str) -> None:
    span = fault_of(text)
    assert span is None or 0 <= span.start < span.end


def test_a_line_may_give_a_result_a_name() -> None:
    line = parse_line(" user = a(1)")
    assert (line.name, plain(line.node)) == ("user", ("a", ([1], {})))
    assert parse_line("a").name is None
    with pytest.raises(ExpressionError, match="a name is given to something"):
        parse("user = a(1)")
