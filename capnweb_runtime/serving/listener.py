"""Accepts connections. Rule: no more at a time than there are files left for; who cannot be accepted now waits in the
kernel, and costs nothing.

The loop's own servers accept a hundred connections before anybody is asked, and where no more files can be opened log
it a hundred times a second. Where the loop cannot tell of sockets (on Windows, which has no such limit) they do it all
the same.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from capnweb_runtime.serving.bounds import Bounds

BACKLOG: Final = 128
"""Connections that wait in the kernel."""
AT_A_TIME: Final = 16
"""Connections that are accepted before others have their turn."""
RETRY: Final = 1.0
"""Seconds after which accepting is tried again; at once if a connection is lost before that."""

_ATTEMPTS: Final = 10  # to find a port that is free on all addresses


class Listener:
    """Listens on the sockets of a server.

    Parameters:
        accepted: makes the protocol for a connection.
        bounds: of the server.

    Attributes:
        port: the port; 0 if it listens on none.
        sockets: those on which it listens.
    """

    def __init__(self, accepted: Callable[[], asyncio.Protocol], bounds: Bounds) -> None:
        self._loop = asyncio.get_running_loop()
        self._accepted = accepted
        self._bounds = bounds
        self._accepting: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._servers: list[asyncio.Server] = []  # where the loop has to accept by itself
        self.sockets: tuple[socket.socket, ...] = ()
        self.port = 0

    async def open(self, hosts: Sequence[str | None], port: int, *, shared: bool = False) -> None:
        """Listens on every address of some hosts.

        Parameters:
            hosts: their names or addresses; None means every address.
            port: the port; 0 means any, the same for all addresses.
            shared: whether other processes may listen there, too.
        """
        # Makes, binds and sets up sockets as the loop does, and takes them over.
        bound = await self._bind(hosts, port, shared)
        attempts = 0
        while len(ports := {made.getsockname()[1] for made in bound.sockets}) > 1:
            # Asked for any port, each address got one of its own. That of one is nearly always free on the others.
            bound.close()
            attempts += 1
            try:
                bound = await self._bind(hosts, min(ports), shared)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or attempts == _ATTEMPTS:
                    raise
                bound = await self._bind(hosts, port, shared)
        sockets = [made.dup() for made in bound.sockets]
        bound.close()
        await self.take(sockets)

    async def take(self, sockets: Iterable[socket.socket]) -> None:
        """Listens on sockets that are bound; they belong to this object then."""
        for listening in sockets:
            listening.setblocking(False)
            listening.listen(BACKLOG)
            self.sockets = (*self.sockets, listening)
            name = listening.getsockname()
            if not self.port and isinstance(name, tuple):
                self.port = name[1]
            try:
                self._loop.remove_reader(listening.fileno())
            except NotImplementedError:
                self._servers.append(await self._loop.create_server(self._accepted, sock=listening))
        if not self._servers:
            self._bounds.on_room = self._there_is_room
            self._resume()

    async def _bind(self, hosts: Sequence[str | None], port: int, shared: bool) -> asyncio.Server:
        every = None if None in hosts else [host for host in hosts if host is not None]
        return await self._loop.create_server(
            self._accepted, every, port, start_serving=False, reuse_port=True if shared else None
        )

    @property
    def addresses(self) -> list[str]:
        """Those of networks that it listens on."""
        names = [listening.getsockname() for listening in self.sockets]
        return [str(name[0]) for name in names if isinstance(name, tuple)]

    @property
    def is_accepting(self) -> bool:
        """Whether there are connections of which nobody was told yet."""
        return bool(self._accepting)

    def close(self) -> None:
        """Listens no more. Connections that were accepted are not touched."""
        self._bounds.on_room = None
        for server in self._servers:
            server.close()
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
        self._pause()
        for listening in self.sockets:
            listening.close()
        self.sockets = ()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_A_TIME):
            try:
                connected, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no more files, or no more memory for them
                self._wait()
                return
            connected.setblocking(False)
            accepting = self._loop.create_task(self._hand_over(connected))
            self._accepting.add(accepting)
            accepting.add_done_callback(self._accepting.discard)
            if self._bounds.files_are_short(connected.fileno()):
                self._wait()
                return

    async def _hand_over(self, connected: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._accepted, connected)
        except OSError:  # the client is gone
            connected.close()

    def _wait(self) -> None:
        """Leaves clients in the kernel until there is room."""
        self._bounds.refuse("reserved_files")
        self._pause()
        self._paused = self._loop.call_later(RETRY, self._resume)

    def _there_is_room(self) -> None:
        if self._paused is not None:
            self._paused.cancel()
            # The file is closed after everybody has been told that it will be.
            self._paused = self._loop.call_later(0, self._resume)

    def _pause(self) -> None:
        for listening in () if self._servers else self.sockets:
            self._loop.remove_reader(listening)

    def _resume(self) -> None:
        self._paused = None
        for listening in self.sockets:
            self._loop.add_reader(listening, self._accept, listening)
