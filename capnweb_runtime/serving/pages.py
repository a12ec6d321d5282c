"""What a server answers beside sessions, each at a path of its own. Rule: a page is asked before anything is known of a
session, and has to be safe for whoever asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import TypeAlias

from capnweb_runtime.serving.peer import Peer, Refuse
from capnweb_runtime.serving.replies import Reply

Page: TypeAlias = Callable[[Peer], Awaitable[Reply]]
"""Answers a GET; raises Refuse where it does not."""


class Pages:
    """The pages of a server.

    Parameters:
        taken: paths at which something else is served.
    """

    def __init__(self, taken: Iterable[str | None] = ()) -> None:
        self._taken = {path for path in taken if path is not None}
        self._at: dict[str, Page] = {}

    def add(self, path: str, page: Page) -> None:
        """Adds one.

        Raises:
            ValueError: something is served at this path.
        """
        if path in self._at or path in self._taken:
            raise ValueError(f"two things are to be served at {path}: give one of them another path")
        self._at[path] = page

    def find(self, path: str) -> Page | None:
        """The page at a path; None if there is none."""
        return self._at.get(path)


async def shown(page: Page, peer: Peer, method: str) -> Reply:
    """What a page answers to a request.

    Parameters:
        page: the page.
        peer: who asks.
        method: of the request.

    Raises:
        Refuse: for another method than GET and HEAD, or as the page does.
    """
    if method not in {"GET", "HEAD"}:
        raise Refuse(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
    return await page(peer)
