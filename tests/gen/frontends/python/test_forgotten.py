"""Classes that look like interfaces are told; those that have another use are not. Reports: tests/gen/diagnostics."""

from __future__ import annotations

import pytest

from tests.gen.conftest import Compile

API = "class Api(Protocol):\n    async def get(self) -> int: ...\n"


def faults(compile_text: Compile, text: str) -> list[str]:
    return [f"{fault.line}: {fault.message}" for fault in compile_text(API + text).diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        "class Other:\n    async def get(self) -> int: ...\n",
        "class Other(object):\n    async def get(self) -> int:\n        '''Get it.'''\n",
        "import abc\nclass Other(abc.ABC):\n    @abc.abstractmethod\n    async def get(self) -> int: ...\n",
        "class Other:\n    async def get(self) -> int: ...\n    def put(self, value: int) -> None: ...\n",
        "import typing\nT = typing.TypeVar('T')\nclass Other(typing.Generic[T]):\n    async def get(self) -> T: ...\n",
    ],
)
def test_a_class_of_declarations_is_told_as_a_forgotten_protocol(compile_text: Compile, text: str) -> None:
    (fault,) = faults(compile_text, text)
    assert fault.endswith(": Other looks like an interface, but does not derive from Protocol")


@pytest.mark.parametrize(
    "members", ["get: Method[None, int]", "get: schema.Method[None, int]", "size: 'Property[float]'"]
)
def test_members_of_an_interface_model_are_told_where_they_are_none(compile_text: Compile, members: str) -> None:
    text = "from capnweb_runtime import schema\nfrom capnweb_runtime.schema import Method, Property\n"
    (fault,) = faults(compile_text, f"{text}class Other:\n    {members}\n")
    assert fault.endswith(": Other looks like an interface, but does not derive from InterfaceModel")


@pytest.mark.parametrize(
    "text",
    [
        "class Other:\n    pass\n",
        "class Other:\n    x: int = 1\n",
        "class Other:\n    async def get(self) -> int:\n        return 1\n",
        "class Other:\n    async def get(self) -> int:\n        raise NotImplementedError\n",
        "class Other:\n    async def close(self) -> None:\n        pass\n",
        "class Other:\n    def get(self) -> int: ...\n",
        "class Other:\n    def __init__(self) -> None:\n        self.x = 1\n    async def get(self) -> int: ...\n",
        "class _Other:\n    async def get(self) -> int: ...\n",
        "class Other(dict[str, int]):\n    async def get_all(self) -> int: ...\n",
        "class Other(Exception):\n    async def get(self) -> int: ...\n",
    ],
)
def test_a_class_with_another_use_is_left_alone(compile_text: Compile, text: str) -> None:
    assert faults(compile_text, text) == []


def test_a_class_that_is_only_imported_is_told_where_it_stands(compile_text: Compile) -> None:
    assert faults(compile_text, "from asyncio import Queue\n") == []
