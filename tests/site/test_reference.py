"""docs/reference: complete, and its examples print what they show."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.site.reference import EXAMPLE, entries, pages, public_names, run


def test_every_public_name_stands_on_one_page() -> None:
    listed = Counter(entry.name for entry in entries())
    assert public_names().keys() - listed.keys() == set()
    assert listed.keys() - public_names().keys() == set()
    assert {name for name, count in listed.items() if count > 1} == set()


def test_every_name_has_an_example_that_uses_it() -> None:
    without = [
        entry.name
        for entry in entries()
        if not any(
            re.search(rf"\b{entry.name.rpartition('.')[2]}\b", example) for example in EXAMPLE.findall(entry.text)
        )
    ]
    assert without == []


# Objects of these are made by the runtime, or by a function whose parameters are theirs.
MADE = {
    "CallbackStub ReadableStream RpcPromise RpcStub Server Serving WritableStream",
    "AnyPromise AnyStub",
    "blocking.BlockingCallback blocking.BlockingReadable blocking.BlockingSession blocking.BlockingWritable",
    "scale.Following scale.Membership",
    "testing.LocalServer testing.Pair testing.PairFixture testing.ServerFixture",
}


def test_every_parameter_and_field_is_described() -> None:
    silent = []
    made = {f"capnweb_runtime.{name}" for names in MADE for name in names.split()}
    for name, value in public_names().items():
        if name in made:
            continue
        text = inspect.getdoc(value) or ""
        if inspect.isclass(value):
            if issubclass(value, BaseException) or (
                "__init__" not in vars(value) and not hasattr(value, "__match_args__")
            ):
                continue
            text += inspect.getdoc(value.__init__) or ""
        elif not inspect.isfunction(value):
            continue
        for parameter in inspect.signature(value).parameters.values():
            hidden = parameter.name.startswith("_") or parameter.name in {"self", "args", "kwargs"}
            if not hidden and not re.search(rf"^\s*\*{{0,2}}{parameter.name}: \S", text, re.MULTILINE):
                silent.append(f"{name}({parameter.name})")
    assert silent == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_the_examples_of_a_page_print_what_they_show(page: Path) -> None:
    text = page.read_text("utf-8")

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await run(text, page.name)

    asyncio.run(bounded())
