"""Where in an application something was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from capnweb_runtime import codegen_api
from capnweb_runtime.debugging.places import MOST_FRAMES, Place, asking_place, place_of, shown
from capnweb_runtime.driving.threads import in_thread


def line() -> int:
    """The line that asks."""
    return sys._getframe(1).f_lineno


def passing_on(module: str, **names: object) -> Callable[[Callable[[], Any]], Any]:
    """A function of another module, which calls what it is given."""
    made = ModuleType(module)
    vars(made).update(names)
    exec("def passing(function):\n    return function()", vars(made))
    passing: Callable[[Callable[[], Any]], Any] = vars(made)["passing"]
    return passing


def test_it_is_the_line_that_asks() -> None:
    assert (asking_place(), line()) == ((__file__, line()), line())


def test_the_runtime_and_generated_code_are_passed_over() -> None:
    ours = passing_on("capnweb_runtime.somewhere")
    module = ModuleType("generated.library")
    vars(module)["rpc"] = codegen_api
    exec("class LibraryCalls:\n    def passing(function):\n        return function()", vars(module))
    generated = vars(module)["LibraryCalls"].passing
    theirs = passing_on("application", rpc=codegen_api)
    found: Place = ours(partial(generated, partial(ours, asking_place)))
    assert found == (__file__, line() - 1)
    found = ours(partial(theirs, partial(ours, asking_place)))
    assert found == ("<string>", 2)


@contextlib.contextmanager
def opened() -> Iterator[Place | None]:
    yield asking_place(2)


def test_what_calls_for_others_is_passed_over() -> None:
    with contextlib.ExitStack() as stack:
        assert stack.enter_context(opened()) == (__file__, line())


async def test_nobody_asks_where_the_loop_calls() -> None:
    passing = passing_on("capnweb_runtime.somewhere")
    found: list[Place | None] = []
    asked = asyncio.Event()
    keeping = ModuleType("capnweb_runtime.keeping")
    vars(keeping).update(found=found, place=asking_place, asked=asked)
    exec("def keep():\n    found.append(place())\n    asked.set()", vars(keeping))
    asyncio.get_running_loop().call_soon(passing, vars(keeping)["keep"])
    async with asyncio.timeout(10):
        await asked.wait()
    assert found == [None]


def test_no_more_frames_are_looked_at_than_that() -> None:
    ours = passing_on("capnweb_runtime.somewhere")
    deep: Callable[[], Any] = asking_place
    for _ in range(MOST_FRAMES):
        deep = partial(ours, deep)
    assert deep() is None


def test_a_function_is_where_it_is_defined() -> None:
    first = test_a_function_is_where_it_is_defined.__code__.co_firstlineno
    assert place_of(test_a_function_is_where_it_is_defined) == (__file__, first)
    assert place_of(Thing().method) == (__file__, Thing.method.__code__.co_firstlineno)
    assert place_of(vars(Thing)["value"]) is not None
    assert place_of(in_thread(Thing().method)) is not None
    assert place_of(len) is None
    assert place_of(3) is None


class Thing:
    @property
    def value(self) -> int:
        return 1

    def method(self) -> None: ...


def test_a_place_is_shown_from_the_current_folder() -> None:
    assert shown((str(Path.cwd() / "app" / "main.py"), 12)) == str(Path("app") / "main.py") + ":12"
    assert shown(("/elsewhere/main.py", 3)).endswith("main.py:3")
    assert shown(("<string>", 3)) == "<string>:3"
