"""Names in generated modules."""

from __future__ import annotations

import pytest

from capnweb_gen.backends.python import module_names


@pytest.mark.parametrize("name", ["Profile", "URL", "X", "AuthedApi"])
def test_a_codec_is_never_called_like_the_class(name: str) -> None:
    assert module_names.constant(name) != name
    assert module_names.constant(name).isupper()


@pytest.mark.parametrize("name", sorted(module_names.RESERVED_NAMES))
def test_attributes_of_promises_make_way_for_what_all_promises_have(name: str) -> None:
    assert module_names.attribute(name, frozenset({name})) == f"{name}_"
    assert module_names.attribute(name, frozenset({name, f"{name}_"})) == f"{name}__"


def test_other_attributes_keep_their_names() -> None:
    assert module_names.attribute("name", frozenset({"name"})) == "name"
