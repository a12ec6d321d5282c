"""What is a secret by its name, or by its look."""

from __future__ import annotations

import pytest

from capnweb_runtime.inspector.redaction import HIDDEN, is_secret, without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "user_token",
        "apiKey",
        "API_KEY",
        "access-key",
        "Set-Cookie",
        "password",
        "newPassword",
        "pin",
        "Authorization",
    ],
)
def test_names_of_secrets_are_known_in_any_spelling(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["", "name", "tokenize", "pinned", "keys", "author", "key", "x" * 1_000])
def test_other_names_are_left_alone(name: str) -> None:
    assert not is_secret(name)


def test_what_looks_like_a_secret_is_left_out_wherever_it_stands() -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
    assert without_secrets(f'"{jwt}", Bearer abc.def, -----BEGIN PRIVATE KEY-----').count(HIDDEN) == 3
    assert jwt not in without_secrets(f"a{jwt}")
    assert without_secrets("nothing of the kind") == "nothing of the kind"
