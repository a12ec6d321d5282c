"""What a user's editor shows over generated modules, as pyright serves it: names, types, documentation, faults."""

from __future__ import annotations

import re

import pytest

from tests.ide.conftest import Editor
from tests.needs import needs_node_ide

pytestmark = needs_node_ide

OVERRIDE = "class Mine(AuthedApiTarget):\n    def {}<cursor>"
PROMISES = {"dispose", "on_broken", "on_restored"}
STUBS = {"dispose", "dup", "on_broken", "on_restored"}


def public(names: list[str]) -> set[str]:
    """The names without an underscore, which have to come before all others."""
    found = [name for name in names if not name.startswith("_")]
    assert names[: len(found)] == found
    return set(found)


# ---- what is offered after a dot


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("api.<cursor>", {"authenticate", *STUBS}),
        (
            "api.authenticate('t').<cursor>",
            {"user_name", "me", "get_profile", "friends", "watch", "download", *PROMISES},
        ),
        ("profile.<cursor>", {"id", "name", "tags", *PROMISES}),
        ("authed.watch(print).<cursor>", {"cancel", *PROMISES}),
        ("(await authed).<cursor>", {"user_name", "me", "get_profile", "friends", "watch", "download", *STUBS}),
        ("authed.friends().<cursor>", {"map", *PROMISES}),
        ("authed.friends().map(lambda p: p.<cursor>)", PROMISES),
        ("authed.friends().map(lambda i: authed.get_profile(i).<cursor>)", {"id", "name", "tags", *PROMISES}),
    ],
)
def test_after_a_dot_exactly_the_declared_names_and_those_of_every_capability_are_offered(
    editor: Editor, text: str, names: set[str]
) -> None:
    assert public(editor.offers(text)) == names


def test_an_awaited_model_offers_its_own_attributes_first(editor: Editor) -> None:
    assert editor.offers("(await profile).<cursor>")[:3] == ["id", "name", "tags"]


def test_a_generated_package_offers_its_modules_and_a_module_its_stubs_and_targets(editor: Editor) -> None:
    assert editor.offers("from generated import <cursor>")[:2] == ["accounts", "search"]
    offered = editor.offers("from generated.search import S<cursor>")
    assert {"SearchStub", "SearchPromise", "SearchTarget"} <= set(offered)


def test_keywords_and_their_values_are_offered(editor: Editor) -> None:
    assert editor.offers('search.find("a", o<cursor>)')[0] == "order="
    assert editor.offers('search.find("a", order=<cursor>)')[:2] == ['"new"', '"old"']


def test_an_offered_method_comes_with_its_signature_and_documentation(editor: Editor) -> None:
    selected = editor.completion("api.<cursor>", "authenticate")
    assert selected["documentation"]["value"] == (
        "```python\ndef authenticate(token: str | RpcPromise[str]) -> AuthedApiPromise[AuthedApiStub]\n```\n"
        "---\nSign in. A token that is not valid is refused with an error."
    )


# ---- what is shown with the pointer on a name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "api.authen<cursor>ticate('t')",
            (
                "(method) def authenticate(token: str | RpcPromise[str]) -> AuthedApiPromise[AuthedApiStub]\n---\n"
                "Sign in. A token that is not valid is refused with an error."
            ),
        ),
        (
            "authed.user<cursor>_name",
            "(property) user_name: RpcPromise[str]\n---\nThe name this user signed in with.",
        ),
        ("pro<cursor>file", "(variable) profile: ProfilePromise[Profile]"),
        ("profile.na<cursor>me", "(property) name: RpcPromise[str]"),
        ("authed.friends().map(lambda i<cursor>d: authed.get_profile(id))", "(parameter) id: RpcPromise[int]"),
        ("na<cursor>mes = await authed.friends().map(lambda i: authed.get_profile(i).name)", "names: list[str]"),
        ("async for chu<cursor>nk in authed.download('a'): ...", "(variable) chunk: bytes"),
        ("authed.watch(lambda pro<cursor>file: None)", "(parameter) profile: Profile"),
        (
            "search.sea<cursor>rch('a')",
            (
                "(method) def search(text: str | RpcPromise[str]) -> ListPromise[str, RpcPromise[str]]\n---\n"
                "The names of what matches.\n\nArgs:  \n&nbsp;&nbsp;&nbsp;&nbsp;text: part of a name."
            ),
        ),
    ],
)
def test_the_pointer_on_a_name_shows_its_type_and_documentation(editor: Editor, text: str, shown: str) -> None:
    assert editor.hover(text).removeprefix("(variable) ") == shown.removeprefix("(variable) ")


def test_the_pointer_on_a_class_shows_what_the_schema_says_of_it(editor: Editor) -> None:
    assert editor.hover("class Mine(Authed<cursor>ApiTarget): ...") == (
        "class AuthedApiTarget()\n---\nWhat a signed-in user may do."
    )


# ---- what is shown between the parentheses of a call


def test_a_call_shows_its_parameters_their_defaults_and_the_documentation(editor: Editor) -> None:
    signature = editor.signature('search.find("a", <cursor>)')
    assert [parameter["label"].partition(":")[0] for parameter in signature["parameters"]] == [
        "text",
        "limit",
        "*",
        "order",
    ]
    labels = [parameter["label"] for parameter in signature["parameters"]]
    assert re.fullmatch(r"limit: int \| RpcPromise\[int\] = .*\b10\b.*", labels[1])
    assert re.fullmatch(r"order: .*Literal\['new', 'old'\].* = .*\"new\".*", labels[3])
    assert signature["activeParameter"] == 1
    assert signature["label"].endswith(" -> ListPromise[str, RpcPromise[str]]")
    assert signature["documentation"]["value"] == "The names of what matches."


# ---- overriding a target's methods


@pytest.mark.parametrize(
    ("begun", "name", "written"),
    [
        ("m", "me", "me(self) -> int | Awaitable[int]:"),
        ("get", "get_profile", "get_profile(self, user_id: int) -> Profile | Awaitable[Profile]:"),
        ("fr", "friends", "friends(self) -> Sequence[int] | Awaitable[Sequence[int]]:"),
        ("wa", "watch", "watch(self, on_change: rpc.CallbackStub[[Profile], None]) -> SubscriptionTarget"),
    ],
)
def test_a_target_offers_its_methods_to_override_with_their_signatures(
    editor: Editor, begun: str, name: str, written: str
) -> None:
    assert editor.completion(OVERRIDE.format(begun), name)["textEdit"]["newText"].startswith(written)


# ---- what is underlined


@pytest.mark.parametrize(
    ("text", "underlined", "message"),
    [
        (
            "authed.get_profile('x')",
            "'x'",
            (
                'Argument of type "Literal[\'x\']" cannot be assigned to parameter "user_id" of type '
                '"int | RpcPromise[int]" in function "get_profile"'
            ),
        ),
        (
            "authed.get_profile(api.authenticate('t').user_name)",
            "api.authenticate('t').user_name",
            (
                'Argument of type "RpcPromise[str]" cannot be assigned to parameter "user_id" of type '
                '"int | RpcPromise[int]" in function "get_profile"'
            ),
        ),
        ("profile.nme", "nme", 'Cannot access attribute "nme" for class "ProfilePromise[Profile]"'),
        ("profile.name.upper()", "upper", 'Cannot access attribute "upper" for class "RpcPromise[str]"'),
        ("authed.get_profile()", "authed.get_profile()", 'Argument missing for parameter "user_id"'),
        (
            "class Mine(AuthedApiTarget):\n    def me(self) -> str:\n        return ''",
            "me",
            'Method "me" overrides class "AuthedApiTarget" in an incompatible manner',
        ),
        (
            "class Mine(AuthedApiTarget): ...\n\n\nMine()",
            "Mine()",
            'Cannot instantiate abstract class "Mine"',
        ),
    ],
)
def test_a_mistake_is_underlined_and_explained(editor: Editor, text: str, underlined: str, message: str) -> None:
    assert editor.errors(text) == [(underlined, message)]


def test_correct_code_is_not_underlined(editor: Editor) -> None:
    text = "names = await authed.friends().map(lambda i: authed.get_profile(i).name)\nprint(names, profile, Profile)"
    assert editor.errors(text) == []
