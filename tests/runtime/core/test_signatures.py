"""What functions and classes declare is told also where their annotations mean nothing: in the runtime, and in the
compiler, which has the same for itself.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from capnweb_gen import signatures as of_compiler
from capnweb_runtime.core import signatures as of_runtime
from tests.late import defined

both = pytest.mark.parametrize("signatures", [of_compiler, of_runtime])

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


@both
def test_a_signature_has_its_parameters_though_their_types_are_unknown(signatures: ModuleType) -> None:
    found = signatures.signature(defined(UNKNOWN)["function"])
    kinds = [(one.name, one.kind.description, one.default is one.empty) for one in found.parameters.values()]
    assert kinds == [
        ("one", "positional-only", True),
        ("two", "positional or keyword", False),
        ("three", "keyword-only", True),
    ]
    assert found.bind(1, three=3).args == (1,)


@both
def test_what_has_no_signature_is_refused_as_by_inspect(signatures: ModuleType) -> None:
    with pytest.raises(TypeError):
        signatures.signature(7)
    with pytest.raises(ValueError, match="no signature"):
        signatures.signature(max)


@both
@pytest.mark.parametrize(("name", "names"), [("Base", ["zero"]), ("Derived", ["two", "one"]), ("Bare", [])])
def test_a_class_annotates_what_its_own_body_does(signatures: ModuleType, name: str, names: list[str]) -> None:
    assert signatures.annotated(defined(UNKNOWN)[name]) == names
