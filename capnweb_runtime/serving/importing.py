"""Imports a large module while the loop goes on. Rule: whoever waits for it is called back on the loop, in order; an
import that fails is tried again by whoever needs the module, and fails there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from importlib import import_module
from threading import Thread


class Importing:
    """A module that is imported once somebody needs it.

    Parameters:
        loop: where to call back.
        name: the module's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._name = name
        self._waiting: list[Callable[[], object]] | None = None  # once somebody needs it
        self._is_over = False

    def is_over(self, then: Callable[[], object]) -> bool:
        """Whether the module is there, or cannot be imported; begins to import it otherwise.

        Parameters:
            then: called once that is over, if it is not.
        """
        if self._is_over:
            return True
        if self._waiting is None:
            self._waiting = []
            Thread(target=self._import, name=f"import of {self._name}", daemon=True).start()
        self._waiting.append(then)
        return False

    def _import(self) -> None:
        with contextlib.suppress(Exception):  # of the second try somebody is told
            import_module(self._name)
        with contextlib.suppress(RuntimeError):  # the loop has been closed, and nobody waits any more
            self._loop.call_soon_threadsafe(self._done)

    def _done(self) -> None:
        self._is_over = True
        waiting, self._waiting = self._waiting, None
        for then in waiting or ():
            then()
