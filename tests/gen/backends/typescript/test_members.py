"""Methods and fields, and what their comments say."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_gen import ir
from capnweb_gen.backends.typescript.members import Members, parameter_names
from capnweb_gen.backends.typescript.scope import Scope
from capnweb_gen.backends.typescript.spelling import Spelling
from capnweb_gen.backends.typescript.survey import survey

PLACE = ir.Position(line=1, column=1)
TEXT = ir.Scalar(name="str")
SAID = [
    "@param token - Secret.",
    *("@capnweb idempotent", "@capnweb cancellable", "@capnweb secret", "@capnweb cost 5", "@capnweb items 20"),
]


def members() -> Members:
    schema = ir.Schema(module="m", path="m.py", output="m.py")
    return Members(Spelling(Scope(schema, survey((schema,)))))


def parameter(name: str, default: Any = ..., **more: Any) -> ir.Parameter:
    given = None if default is ... else ir.Default(value=default)
    return ir.Parameter(name=name, wire=name, type=TEXT, default=given, position=PLACE, **more)


def method(*parameters: ir.Parameter, **more: Any) -> ir.Method:
    return ir.Method(name="find", wire="find", parameters=parameters, result=TEXT, position=PLACE, **more)


def field(**more: Any) -> ir.ModelField:
    given = {"name": "size", "wire": "size", "accepts": "size", "type": TEXT, "required": True, "position": PLACE}
    return ir.ModelField.model_validate(given | more)


@pytest.mark.parametrize(
    ("made", "comment", "text"),
    [
        (field(), "", "size: string;"),
        (field(required=False), "", "size?: string;"),
        (field(computed=True), "  /** @capnweb computed */\n", "readonly size?: string;"),
        (
            field(secret=True, doc="How much."),
            "  /**\n   * How much.\n   *\n   * @capnweb secret\n   */\n",
            "size: string;",
        ),
        (field(deprecated=ir.Deprecation(message="")), "  /** @deprecated */\n", "size: string;"),
        (field(name="taille"), "  /** @capnweb name taille */\n", "size: string;"),
    ],
)
def test_what_is_said_of_a_field(made: ir.ModelField, comment: str, text: str) -> None:
    view = members().field(made)
    assert (view.comment, view.text) == (comment, text)


def test_a_field_that_tells_models_apart_is_never_left_out() -> None:
    view = members().field(field(required=False), is_tag=True)
    assert (view.comment, view.text) == ("  /** @capnweb optional */\n", "size: string;")


@pytest.mark.parametrize(
    ("made", "comment", "text"),
    [
        (method(parameter("word")), "", "find(word: string): Promise<string>;"),
        (method(parameter("word", None)), "", "find(word?: string): Promise<string>;"),
        (
            method(parameter("word", "a`b")),
            '  /** @param word - Defaults to `"a\\u0060b"`. */\n',
            "find(word?: string): Promise<string>;",
        ),
        (
            method(parameter("token", secret=True), secret=True, idempotent=True, cancellable=True, cost=5, items=20),
            "\n".join(["  /**", *(f"   * {line}" for line in SAID), "   */", ""]),
            "find(token: string): Promise<string>;",
        ),
        (method(parameter("words", passing="variadic")), "", "find(...words: string[]): Promise<string>;"),
        (
            method(parameter("words", passing="variadic"), parameter("exact", None, passing="keyword")),
            "  /** @param words - Any number of them. */\n",
            "find(words?: string[], options?: { exact?: string }): Promise<string>;",
        ),
        (
            method(raises=(ir.Reference(module="m", name="NotFound"), ir.Reference(module="m", name="Error"))),
            "  /**\n   * @throws {@link NotFound}\n   * @throws {@link Error_}\n   */\n",
            "find(): Promise<string>;",
        ),
    ],
)
def test_what_is_said_of_a_method(made: ir.Method, comment: str, text: str) -> None:
    view = members().member(made)
    assert (view.comment, view.text) == (comment, text)


def test_what_keywords_default_to_stands_with_them() -> None:
    view = members().member(method(parameter("exact", False, passing="keyword")))
    assert view.text == "find(options?: {\n    /** Defaults to `false`. */\n    exact?: string;\n  }): Promise<string>;"


def test_the_options_come_last_and_keep_their_name() -> None:
    made = method(parameter("options"), parameter("this"), parameter("exact", None, passing="keyword"))
    assert parameter_names(made) == ["options_", "this_", "options"]
