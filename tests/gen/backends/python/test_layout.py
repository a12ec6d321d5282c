"""Layout: exactly as `ruff format` lays out the same code, whatever the lengths of names."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_gen.backends.python import layout

pytestmark = pytest.mark.any_python  # ruff is what knows


def formatted(text: str) -> str:
    """The same text as ruff formats it."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(layout.WIDTH), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def names(length: int) -> tuple[str, str, str, str]:
    return tuple(letter * length for letter in "ABCD")  # type: ignore[return-value]  # four letters give four names


def signatures(length: int) -> list[str]:
    """Methods of each form that generated code has, with names of a length."""
    a, b, c, d = names(length)
    results = [
        a,
        f"{a} | Awaitable[{b}]",
        f"rpc.ListPromise[{a}, rpc.RpcPromise[{b}]]",
        f"{a} | {b} | Awaitable[{a} | {b}]",
    ]
    parameters = [
        ["self"],
        ["self", f"one: {c}"],
        ["self", f"one: {c}", f"two: {d} | rpc.RpcPromise[{d}]"],
        ["self", f"one: Callable[[{a}, {b}], {c} | Awaitable[{c}]] | rpc.CallbackStub[[{a}, {b}], {c}]"],
        ["self", f"one: rpc.ListArg[{a} | rpc.RpcPromise[{a}]] | rpc.RpcPromise[list[{a}]]", "/", f"two: {b} = 1"],
        ["self", "*", f'one: {c} | rpc.RpcPromise[{c}] | None = rpc.omitted("{d}")', f'two: {c} = "{d}"'],
        ["self", f"one: Mapping[str, dict[str, {a}]]", f"two: dict[str, list[{b}]] | None = None"],
    ]
    return [
        f"    {layout.signature('method', given_, result, tail, indent='    ')}{body}\n"
        for given_ in parameters
        for result in results
        for tail, body in ((" ...", ""), ("", "\n        pass"))
    ]


@pytest.mark.parametrize("length", range(4, 62, 3))
def test_signatures_are_laid_out_as_ruff_does(length: int) -> None:
    text = "class X:\n" + "\n".join(signatures(length))
    assert formatted(text) == text


@pytest.mark.parametrize("length", range(4, 100, 5))
def test_calls_are_laid_out_as_ruff_does(length: int) -> None:
    a, b, c, d = names(length)
    calls = [
        layout.call(f"{a} = rpc.list_of", [b]),
        layout.assigned(a, "rpc.Decoder", b, f"{c}.decoder", [d]),
        layout.call(f"{a} = rpc.interface", [f"lambda: {b}", f"lambda: {c}", f"lambda: {d}"]),
        layout.call(
            f"{a} = rpc.method", [f'"{a}"', b, f'rpc.param("{c}", {d})', f'rpc.param("{d}", {c}, required=False)']
        ),
        layout.call(f"{a} = TypeVar", [f'"{a}"', "covariant=True", f"default={b}"]),
        layout.imported("module", [a, b, c, d]),
    ]
    text = "\n".join(calls) + "\n"
    # Sorting aside, ruff wants a blank line after imports.
    assert formatted(text) == text


@pytest.mark.parametrize("length", range(4, 100, 5))
def test_classes_and_bodies_are_laid_out_as_ruff_does(length: int) -> None:
    a, b, c, d = names(length)
    text = (
        f"{layout.call(f'class {a}', [b, f'rpc.RpcPromise[{c}]', f'spec={d}'], ':')}\n"
        f"    {layout.call(f'{a} = rpc.prop', [b, c], indent='    ')}\n\n"
        "    def method(self):\n"
        f"        {layout.call('return self._call', [a, b, c], indent='        ')}\n\n"
        "    def encode(self):\n"
        "        return {\n"
        f"            {layout.entry(f'{chr(34)}{a}{chr(34)}: {b}.encode(value.{c}, to)', indent=' ' * 12)}\n"
        "        }\n"
    )
    assert formatted(text) == text


@given(st.text())
def test_strings_mean_what_they_are(value: str) -> None:
    assert ast.literal_eval(layout.string(value)) == value


@pytest.mark.parametrize(
    "value", ["plain", "it's", 'say "hi"', 'it\'s "both"', "''\"", "\\", "\\'", '\\"', "\n\t\x00", "ß✓"]
)
def test_strings_are_quoted_as_ruff_does(value: str) -> None:
    text = f"x = {layout.string(value)}\n"
    assert formatted(text) == text


@pytest.mark.parametrize(
    "doc",
    [
        "One line.",
        'Ends with a "quote"',
        'Has """three""" quotes',
        "Ends with a backslash \\",
        "Several\n\nlines,\n    one of them indented.",
        'Several\nlines, the last with a "quote"',
        "Trailing spaces   \nare dropped.   ",
        "A\ttab.\n\tAnd another.",
        "\\N{BULLET} and \\x00 stay as they are",
    ],
)
def test_docstrings_are_laid_out_as_ruff_does(doc: str) -> None:
    text = f"def function():\n    {layout.docstring(doc, indent='    ')}\n"
    assert formatted(text) == text
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    read = ast.get_docstring(function)
    assert read is not None
    assert [line.rstrip() for line in read.split("\n")] == [line.rstrip() for line in inspect.cleandoc(doc).split("\n")]


CONTROLS = "a\0b\x07c\x0cd\x1be\x7ff\x85g\u2028h\ud83di\rj"


@pytest.mark.parametrize("doc", [CONTROLS, f"First.\n\n{CONTROLS}\nLast.", "tab\there \N{NO-BREAK SPACE} 漢字 😀"])
def test_docstrings_hold_nothing_that_a_file_cannot(doc: str) -> None:
    text = f"def function():\n    {layout.docstring(doc, indent='    ')}\n"
    text.encode()
    assert len(text.splitlines()) == text.count("\n")
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function) == inspect.cleandoc(doc)
    assert "漢字" not in doc or "漢字" in text
