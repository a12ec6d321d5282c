"""A worker's end of the line to the process that started it. Rule: it says once that it serves; it is told once that
another has taken its place; that the other end is closed says that the other process is gone, and the worker ends, too.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

LEAVE: Final = b"leave\n"
"""What the other process says when another worker has taken this one's place."""


class Supervised:
    """The line.

    Parameters:
        number: of its file, a socket.
        leave: run once another worker has taken this one's place.
        stop: run once the other end is closed.
    """

    def __init__(
        self,
        number: int,
        leave: Callable[[], Coroutine[Any, Any, None]],
        stop: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._socket = socket.socket(fileno=number)
        self._socket.setblocking(False)
        self._leave = leave
        self._stop = stop
        self._watching = asyncio.ensure_future(self._watch())

    def ready(self, where: str) -> None:
        """Says that the worker serves.

        Parameters:
            where: its URLs.
        """
        self._socket.send(f"{where}\n".encode())

    async def close(self) -> None:
        """Watches no more."""
        self._watching.cancel()
        await asyncio.wait([self._watching])
        self._socket.close()

    async def _watch(self) -> None:
        if await asyncio.get_running_loop().sock_recv(self._socket, 64) == LEAVE:
            await self._leave()
        else:
            await self._stop()
