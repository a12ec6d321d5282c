"""A large module is imported while the loop goes on, and whoever waits for it is called back."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from capnweb_runtime.serving.importing import Importing

GATE = threading.Event()
"""What the module waits for while it is imported."""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    GATE.clear()
    (tmp_path / "held_up.py").write_text(f"from {__name__} import GATE\nassert GATE.wait(60)\n", "utf-8")
    (tmp_path / "broken_inside.py").write_text("raise OSError('the disk is full')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "held_up", raising=False)
    return "held_up"


async def test_the_loop_goes_on_meanwhile_and_all_are_called_back_in_order(module: str) -> None:
    order: list[int] = []
    over = asyncio.Event()
    importing = Importing(asyncio.get_running_loop(), module)
    assert not importing.is_over(lambda: order.append(1))
    assert not importing.is_over(lambda: order.append(2))
    assert not importing.is_over(over.set)
    await asyncio.sleep(0)
    assert order == []
    GATE.set()
    async with asyncio.timeout(20):
        await over.wait()
    assert order == [1, 2]
    assert module in sys.modules
    assert importing.is_over(lambda: order.append(3))
    assert order == [1, 2]


async def test_one_that_cannot_be_imported_is_over_too(module: str) -> None:
    over = asyncio.Event()
    importing = Importing(asyncio.get_running_loop(), "broken_inside")
    assert not importing.is_over(over.set)
    async with asyncio.timeout(20):
        await over.wait()
    assert importing.is_over(over.set)


async def test_nothing_is_imported_before_somebody_needs_it(module: str) -> None:
    Importing(asyncio.get_running_loop(), module)
    await asyncio.sleep(0)
    assert module not in sys.modules
