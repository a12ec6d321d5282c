"""What the tests of the compiler share: projects in temporary folders, of which nothing stays imported, and
sessions between the two ends of generated modules.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol, TypeVar

import pytest

from capnweb_gen.compiler import Compiled, compile_schemas
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports import memory

Write = Callable[[dict[str, str]], Path]
Compile = Callable[[str], Compiled]

S = TypeVar("S", bound=rpc.RpcStub)

PROTOCOL = "from typing import Protocol\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files into a folder of their own, the current one; what is imported from there is forgotten again."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), "utf-8")
        return tmp_path

    for name in [name for name in sys.modules if name.partition(".")[0] == "schemas"]:
        monkeypatch.delitem(sys.modules, name)  # the repository's own, which other tests have imported
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield write
    places = {name: _places(sys.modules[name]) for name in set(sys.modules) - before}
    for name, found in places.items():
        if any(place.is_relative_to(tmp_path) for place in found):
            del sys.modules[name]


def _places(module: ModuleType) -> list[Path]:
    places = [*getattr(module, "__path__", []), getattr(module, "__file__", None)]
    return [Path(place) for place in places if place]


@pytest.fixture
def compile_text(project: Write) -> Compile:
    """Compiles one schema, given as text, to which the import of Protocol is added."""

    def compile_one(text: str) -> Compiled:
        root = project({"schemas/__init__.py": "", "schemas/api.py": PROTOCOL + textwrap.dedent(text)})
        return compile_schemas([root / "schemas"], "capnweb-gen schemas --out generated")

    return compile_one


class Serve(Protocol):
    """Serves a target in a session of its own, and gives a stub for it."""

    def __call__(self, target: type[rpc.RpcTarget], stub: type[S]) -> S: ...


@pytest.fixture
async def served() -> AsyncIterator[Serve]:
    """What is not of interest in a target may be missing from it."""
    joined: list[Connection] = []

    def serve(target: type[rpc.RpcTarget], stub: type[S]) -> S:
        complete = type(target.__name__, (target,), dict.fromkeys(target.__abstractmethods__, _missing))
        pair = memory.pair(complete(), None, errors="all")
        joined.extend(pair)
        return stub(pair[1].session.remote_main)

    yield serve
    for side in joined:
        side.session.remote_main.dispose()
        await side.wait_closed()


def _missing(*args: object) -> object:
    raise NotImplementedError
