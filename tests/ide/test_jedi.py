"""What editors that run jedi show over generated modules: it infers less than pyright, but finds the names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jedi  # type: ignore[import-untyped] # jedi has no py.typed
import pytest

from tests.ide.conftest import in_a_file


def script(project: Path, text: str) -> tuple[Any, dict[str, int]]:
    """The file as jedi sees it, and the cursor, counted as jedi counts it."""
    whole, position = in_a_file(text)
    made = jedi.Script(whole, path=project / "main.py", project=jedi.Project(project))
    return made, {"line": position["line"] + 1, "column": position["character"]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("api.<cursor>", ["authenticate", "dispose", "dup", "on_broken", "on_restored"]),
        (
            "api.authenticate('t').<cursor>",
            ["dispose", "download", "friends", "get_profile", "me", "on_broken", "on_restored", "user_name", "watch"],
        ),
        ("authed.watch(print).<cursor>", ["cancel", "dispose", "on_broken", "on_restored"]),
        ("profile.<cursor>", ["dispose", "id", "name", "on_broken", "on_restored", "tags"]),
    ],
)
def test_after_a_dot_the_declared_names_come_first(project: Path, text: str, names: list[str]) -> None:
    made, cursor = script(project, text)
    offered = [completion.name for completion in made.complete(**cursor)]
    assert offered[: len(names)] == names
    assert all(name.startswith("_") for name in offered[len(names) :])


def test_a_call_shows_its_parameters_defaults_and_documentation(project: Path) -> None:
    made, cursor = script(project, 'search.find("a", <cursor>)')
    (signature,) = made.get_signatures(**cursor)
    assert [parameter.name for parameter in signature.params] == ["text", "limit", "order"]
    assert "10" in signature.params[1].to_string()
    assert signature.index == 1
    assert signature.docstring().endswith("The names of what matches.")


def test_the_pointer_on_a_method_shows_its_signature_and_documentation(project: Path) -> None:
    made, cursor = script(project, "api.authen<cursor>ticate('t')")
    (found,) = made.help(**cursor)
    assert found.docstring() == (
        "authenticate(token: str | rpc.RpcPromise[str]) -> AuthedApiPromise\n\n"
        "Sign in. A token that is not valid is refused with an error."
    )


def test_going_to_a_definition_finds_the_generated_method(project: Path) -> None:
    made, cursor = script(project, "authed.get_<cursor>profile(1)")
    (found,) = made.goto(**cursor)
    assert (found.full_name, found.module_path) == (
        "generated.accounts.AuthedApiCalls.get_profile",
        project / "generated/accounts.py",
    )
