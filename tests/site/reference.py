"""What docs/reference has to list, and how its examples are run. Rule: a public name stands on exactly one page, with
its docstring and an example that names it.

An example is a session of Python's prompt, in which `await` may stand at the top. Those of a page run in order, in one
namespace, which begins with::

    url       of a server of schemas/accounts.py
    api       a stub of its main object
    authed    what api.authenticate("secret") gave
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import io
import re
import traceback
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capnweb_runtime import connect, serve
from examples.demo.server import TOKEN, Accounts, Front
from generated.accounts import PublicApiStub

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"
MODULES = (
    "capnweb_runtime",
    "capnweb_runtime.blocking",
    "capnweb_runtime.health",
    "capnweb_runtime.inspector",
    "capnweb_runtime.mounts.aiohttp",
    "capnweb_runtime.mounts.asgi",
    "capnweb_runtime.mounts.flask",
    "capnweb_runtime.plans",
    "capnweb_runtime.reflection",
    "capnweb_runtime.scale",
    "capnweb_runtime.scale.rate_limits",
    "capnweb_runtime.schema",
    "capnweb_runtime.sturdy",
    "capnweb_runtime.telemetry.logs",
    "capnweb_runtime.telemetry.otel",
    "capnweb_runtime.telemetry.prometheus",
    "capnweb_runtime.testing",
    "capnweb_runtime.worker",
)
"""Those that users import from. `codegen_api` is for generated code, which says so."""
ENTRY = re.compile(
    r"^```\{eval-rst\}\n\.\. auto(?P<kind>function|class|exception|data|decorator):: (?P<name>[\w.]+)\n.*?^```\n",
    re.MULTILINE | re.DOTALL,
)
EXAMPLE = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Entry:
    """A name on a page.

    Attributes:
        page: the page.
        name: with its module, as `capnweb_runtime.connect`.
        text: what stands between it and the next one.
    """

    page: Path
    name: str
    text: str


def pages() -> list[Path]:
    """All pages."""
    return sorted(path for path in PAGES.glob("*.md") if path.stem != "index")


def entries() -> Iterator[Entry]:
    """All names, in the order of the pages."""
    for page in pages():
        text = page.read_text("utf-8")
        found = list(ENTRY.finditer(text))
        ends = [following.start() for following in found[1:]] + [len(text)]
        for entry, end in zip(found, ends, strict=True):
            yield Entry(page, entry["name"], text[entry.end() : end])


def public_names() -> dict[str, object]:
    """Whatever users may import, by where they import it from; a name that two modules have, from the shorter one."""
    found: dict[str, object] = {}
    homes: dict[int, str] = {}
    for module in MODULES:
        loaded = importlib.import_module(module)
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if homes.setdefault(id(value), module) == module:
                found[f"{module}.{name}"] = value
    return found


async def run(text: str, page: str) -> None:
    """Runs the examples of a page.

    Parameters:
        text: the page.
        page: its name.

    Raises:
        AssertionError: one prints something else than it shows.
    """
    async with (
        serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, plans=True) as server,
        connect(server.url, PublicApiStub) as api,
    ):
        authed = await api.authenticate(TOKEN)
        namespace: dict[str, Any] = {"url": server.url, "api": api, "authed": authed, "__name__": "__main__"}
        for block in EXAMPLE.finditer(text):
            line = text.count("\n", 0, block.start(1))
            for example in doctest.DocTestParser().get_examples(block[1]):
                await _try(example, namespace, f"{page}, line {line + example.lineno + 1}")
        authed.dispose()


async def _try(example: doctest.Example, namespace: dict[str, Any], where: str) -> None:
    printed = io.StringIO()
    code = compile(example.source, where, "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with redirect_stdout(printed):
        try:
            waiting = eval(code, namespace)
            if inspect.isawaitable(waiting):
                await waiting
        except Exception as error:
            if example.exc_msg is None:
                raise
            got, want = "".join(traceback.format_exception_only(error)), example.exc_msg
            # A note, and the module of the class, are none of the reader's business.
            got = re.sub(r"^[\w.]+\.(?=\w+:)", "", got.splitlines()[0]) + "\n"
        else:
            got, want = printed.getvalue(), example.want
    assert doctest.OutputChecker().check_output(want, got, OPTIONS), f"{where}: {example.source}{got}"
