"""Callbacks in generated modules: what may be passed asks for no more names than calls need."""

from __future__ import annotations

import pytest

from tests.gen.conftest import Compile


def like(compile_text: Compile, signature: str) -> str:
    """The parameters of what may be passed for a callback, on one line."""
    text = compile_text(f"class Call(Protocol):\n    def __call__({signature}) -> int: ...").files["api.py"]
    body = text.partition("class CallLike(rpc.CallbackLike, Protocol):")[2].partition("def __call__(")[2]
    return " ".join(body.partition(") -> ")[0].split())


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("self, a: int", "self, a: int, /"),
        ("self, a: int, b: int = 1", "self, a: int, b: int = ..., /"),
        ("self, a: int = 1, b: int = 2, c: int = 3", "self, a: int = ..., /, b: int = ..., c: int = ..."),
        ("self, a: int = 1, b: int = 2, /, c: int = 3", "self, a: int = ..., b: int = ..., /, c: int = ..."),
        ("self, a: int, *rest: int", "self, a: int, /, *rest: int"),
        ("self, *, a: int, b: int = 1", "self, *, a: int, b: int = ..."),
    ],
)
def test_only_what_may_be_given_by_name_has_to_have_the_name(
    compile_text: Compile, signature: str, expected: str
) -> None:
    assert like(compile_text, signature) == expected


def test_each_has_a_table_entry_a_stub_and_a_promise(compile_text: Compile) -> None:
    text = compile_text(
        """
        WIRE_CASE = "camel"

        class OnEvent(Protocol):
            \"\"\"Told of an event.\"\"\"

            def __call__(self, event: str, count: int = 1, *, sent_by: str) -> "OnEvent": ...
        """
    ).files["api.py"]
    assert (
        "ON_EVENT = rpc.declared_callback(lambda: OnEventStub, lambda: OnEventPromise, lambda: OnEventSpec.call)"
        in text
    )
    assert 'rpc.param("sent_by", rpc.STR, keyword=True, wire="sentBy"),' in text
    assert "return self._call(OnEventSpec.call, event, count, sent_by=sent_by)" in text
    assert "class OnEventStub(OnEventCalls, rpc.RpcStub):" in text
    assert "class OnEventPromise(OnEventCalls, rpc.RpcPromise[OnEventR]):" in text
    assert "Told of an event." in text
    assert ") -> OnEventLike | Awaitable[OnEventLike]: ..." in text


def test_a_builtin_that_a_member_hides_is_spelled_out(compile_text: Compile) -> None:
    text = compile_text(
        """
        class Call(Protocol):
            def __call__(self, first: int) -> None: ...

        class Api(Protocol):
            def object(self, call: Call) -> None: ...
            def int(self) -> None: ...
        """
    ).files["api.py"]
    assert "def __call__(self, first: builtins.int, /) -> builtins.object: ..." in text
