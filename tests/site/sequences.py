"""Sessions that docs/protocol shows: runs the Python of each, and writes what was on the wire, as text and picture.

    python -m tests.site.sequences

In a page, a session is a comment with its name, the program, its picture and its messages::

    <!-- session: one_call -->

    ```python
    authed = await api.authenticate("secret")
    ```

    ![...](pictures/one_call.svg)

    ```text
    -> ["push",...]
    ```

The program runs with `api`, a stub of the main object of schemas/accounts.py. Rule: nobody writes messages by hand.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from capnweb_runtime.driving import turns
from capnweb_runtime.observe import Observer
from capnweb_runtime.testing import WireMessage
from capnweb_runtime.transports.memory import pair
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.site.drawing import sequence

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "protocol"
UPDATE = "python -m tests.site.sequences"
SESSION = re.compile(
    r"<!-- session: (?P<name>\w+) -->\n\n```python\n(?P<program>.*?)```\n\n"
    r"!\[(?P<title>[^\]]+)\]\(pictures/(?P<picture>\w+)\.svg\)\n\n```text\n(?P<wire>.*?)```\n",
    re.DOTALL,
)
PATIENCE = 20.0
"""Seconds that a session may take."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the pictures on it.

    Attributes:
        path: where it is.
        text: what is in it, once its messages are those that were sent.
        pictures: what belongs into each file.
    """

    path: Path
    text: str
    pictures: dict[Path, str]


async def wire_of(program: str, where: str) -> list[WireMessage]:
    """What is on the wire while a program runs and ends.

    Parameters:
        program: Python with `await` at its top, in which `api` is a stub.
        where: what its tracebacks say.
    """
    # Turns have no end: what a map leaves to the next one would depend on the speed of the machine.
    with mock.patch.object(turns, "TURN", math.inf):
        return await _recorded(program, where)


async def _recorded(program: str, where: str) -> list[WireMessage]:
    client, server = pair(None, Front(Accounts()), observer=_Silent())  # which agree on nothing beyond the protocol
    wire = _Wire()
    client.tap(wire)
    api = client.main(PublicApiStub)
    async with asyncio.timeout(PATIENCE):
        running = eval(
            compile(program, where, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {"api": api, "asyncio": asyncio}
        )
        if inspect.isawaitable(running):
            await running
        await _quiet(wire.messages)
        seen = list(wire.messages)
        api.dispose()
        await client.wait_closed()
        await server.wait_closed()
    return seen


class _Silent(Observer):
    """Some of the sessions fail, and are meant to."""

    def target_failed(self, where: str, error: BaseException) -> None:
        """See `Observer`."""


class _Wire:
    """Keeps the messages of a client's session; a `Tap`."""

    def __init__(self) -> None:
        self.messages: list[WireMessage] = []

    def received(self, messages: list[Any]) -> None:
        """The server's."""
        self.messages += (WireMessage("server", bytes(message).decode()) for message in messages)

    def sent(self, messages: list[Any]) -> None:
        """The client's."""
        self.messages += (WireMessage("client", bytes(message).decode()) for message in messages)


async def _quiet(wire: list[WireMessage]) -> None:
    """Returns once many turns of the loop have brought nothing more: both ends are in this process."""
    still, known = 0, -1
    while still < 50:
        await asyncio.sleep(0)
        still, known = (still + 1, known) if len(wire) == known else (0, len(wire))


def page_of(path: Path) -> Page:
    """A page as it ought to be."""
    text, pictures = path.read_text("utf-8"), dict[Path, str]()
    for found in SESSION.finditer(text):
        if found["picture"] != found["name"]:
            raise ValueError(f"{path}: the picture of session {found['name']} has to be pictures/{found['name']}.svg")
        messages = asyncio.run(wire_of(found["program"], f"{path.name}, {found['name']}"))
        pictures[path.parent / "pictures" / f"{found['name']}.svg"] = sequence(messages, found["title"])
        wire = "".join(f"{message}\n" for message in messages)
        text = text.replace(found[0], found[0].replace(f"```text\n{found['wire']}```", f"```text\n{wire}```"))
    return Page(path, text, pictures)


def pages() -> list[Path]:
    """The pages that may show sessions."""
    return sorted(PAGES.glob("*.md"))


def main() -> None:
    """Writes all pages and pictures."""
    for path in pages():
        page = page_of(path)
        page.path.write_text(page.text, "utf-8")
        for picture, svg in page.pictures.items():
            picture.parent.mkdir(exist_ok=True)
            picture.write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
