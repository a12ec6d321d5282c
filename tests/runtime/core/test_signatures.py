"""What functions and classes declare is told also where their annotations mean nothing."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.signatures import annotated, signature
from tests.late import defined

UNKNOWN = """
def function(one: Unknown, /, two: int = 2, *, three: Unknown) -> Unknown: ...

class Base:
    zero: Unknown

class Derived(Base):
    two: Unknown
    one: int = 1
    def three(self): ...

class Bare(Base):
    pass
"""


def test_a_signature_has_its_parameters_though_their_types_are_unknown() -> None:
    found = signature(defined(UNKNOWN)["function"])
    kinds = [(one.name, one.kind.description, one.default is one.empty) for one in found.parameters.values()]
    assert kinds == [
        ("one", "positional-only", True),
        ("two", "positional or keyword", False),
        ("three", "keyword-only", True),
    ]
    assert found.bind(1, three=3).args == (1,)


def test_what_has_no_signature_is_refused_as_by_inspect() -> None:
    with pytest.raises(TypeError):
        signature(7)  # type: ignore[arg-type]  # which is told
    with pytest.raises(ValueError, match="no signature"):
        signature(max)


@pytest.mark.parametrize(("name", "names"), [("Base", ["zero"]), ("Derived", ["two", "one"]), ("Bare", [])])
def test_a_class_annotates_what_its_own_body_does(name: str, names: list[str]) -> None:
    assert annotated(defined(UNKNOWN)[name]) == names
