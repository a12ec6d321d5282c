"""What a difference between schema and generated code is told as. What is one: tests/gen/test_stale_code.py."""

from __future__ import annotations

import asyncio
import sys
import types
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from typing import Any

import pytest

from capnweb_runtime.errors import StaleCodeWarning
from capnweb_runtime.objects.stale import tell
from tests.project.sources import ROOT


def import_module(gone: Sequence[str], new: Sequence[str], *, fatal: bool) -> types.ModuleType:
    """Execute a module that finds a difference while it is imported, and says nothing of how it was made."""
    module = types.ModuleType("made")
    vars(module)["difference"] = lambda: tell("Book", gone, new, fatal=fatal)
    exec(compile("difference()", "/nowhere/made.py", "exec"), vars(module))
    return module


@pytest.mark.parametrize(
    ("gone", "new", "said"),
    [
        (["a"], [], "Book no longer has 'a'"),
        ([], ["b", "c(x)"], "Book has gained 'b', 'c(x)'"),
        (["a"], ["b"], "Book no longer has 'a' and has gained 'b'"),
    ],
)
def test_it_says_what_differs_where_and_what_to_run(gone: list[str], new: list[str], said: str) -> None:
    message = f"made is out of date: {said}; run: capnweb-gen"
    with pytest.warns(StaleCodeWarning) as caught:
        import_module(gone, new, fatal=False)
    assert [(str(one.message), one.filename) for one in caught] == [(message, "/nowhere/made.py")]
    with pytest.raises(ImportError) as refused:
        import_module(gone, new, fatal=True)
    assert (str(refused.value), refused.value.name, refused.value.path) == (message, "made", "/nowhere/made.py")


def test_the_setting_turns_both_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPNWEB_STALE", "ignore")
    import_module(["a"], ["b"], fatal=True)
    import_module(["a"], ["b"], fatal=False)


async def test_code_that_is_up_to_date_does_not_load_it() -> None:
    program = "import sys, generated.accounts; print('capnweb_runtime.objects.stale' in sys.modules)"
    done: Any = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT, stdout=PIPE)
    output, _ = await asyncio.wait_for(done.communicate(), 60)
    assert (output, done.returncode) == (b"False\n", 0)
