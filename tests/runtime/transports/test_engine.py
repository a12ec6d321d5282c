"""What is used of `websockets` is imported without importlib.metadata, which everybody else finds as ever."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from types import ModuleType

import pytest

from capnweb_runtime.transports import engine


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_not_imported_and_nothing_stands_in_its_place_afterwards() -> None:
    program = (
        "import sys, importlib, capnweb_runtime.transports.engine as engine; print('importlib.metadata' in sys.modules"
    )
    assert run(f"{program}, hasattr(importlib, 'metadata'))") == "False False"


def test_it_can_be_imported_and_used_afterwards() -> None:
    program = "import capnweb_runtime.transports.engine; import importlib.metadata as metadata; "
    assert run(program + "print(metadata.version('websockets'))") == importlib.metadata.version("websockets")


def test_one_that_was_imported_before_is_left_alone() -> None:
    program = "import sys, importlib.metadata as before, capnweb_runtime.transports.engine; "
    assert run(program + "print(sys.modules['importlib.metadata'] is before)") == "True"


def test_who_gets_the_stand_in_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata
    monkeypatch.setattr(importlib, "metadata", real)  # so that it is put back
    monkeypatch.delitem(sys.modules, "importlib.metadata")
    with engine._metadata_put_off():
        stand_in = sys.modules["importlib.metadata"]
        assert type(stand_in) is not ModuleType
        assert stand_in.version("websockets") == real.version("websockets")
        assert sys.modules["importlib.metadata"] is not stand_in
    assert type(sys.modules["importlib.metadata"]) is ModuleType


def test_the_server_s_half_is_there_when_it_is_asked_for() -> None:
    assert engine.ServerProtocol.__module__ == "websockets.server"
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        engine.nonsense  # type: ignore[attr-defined]  # noqa: B018
