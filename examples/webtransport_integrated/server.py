"""The board, over all transports: `python -m examples.webtransport_integrated.server --certificates FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from capnweb_runtime import CallbackStub, Peer, serve
from capnweb_runtime.serving.development_certificate import make_certificate
from examples.webtransport_integrated.generated.webtransport_integrated import BoardTarget


class Messages:
    """What all sessions share, whichever way they came."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.watchers: set[CallbackStub[[str], None]] = set()

    async def post(self, text: str) -> int:
        """Put a message up, and tell those who watch."""
        self.texts.append(text)
        count = len(self.texts)
        await asyncio.gather(*(self._tell(watcher, text) for watcher in tuple(self.watchers)))
        return count

    async def _tell(self, watcher: CallbackStub[[str], None], text: str) -> None:
        try:
            await watcher(text)
        except Exception:  # who cannot be told is not told again, and nobody else hears of it
            self.watchers.discard(watcher)


class Board(BoardTarget):
    """The board, in one session."""

    def __init__(self, messages: Messages, peer: Peer) -> None:
        self._messages, self._peer = messages, peer
        self._watching: list[CallbackStub[[str], None]] = []

    def transport(self) -> str:
        return self._peer.transport

    async def post(self, text: str) -> int:
        return await self._messages.post(text)

    def posts(self, since: int = 0) -> list[str]:
        return self._messages.texts[since:]

    def watch(self, on_post: CallbackStub[[str], None]) -> None:
        kept = on_post.dup()
        self._watching.append(kept)
        self._messages.watchers.add(kept)

    def dispose(self) -> None:
        """The session is over."""
        for watcher in self._watching:
            self._messages.watchers.discard(watcher)
            watcher.dispose()


async def main(folder: Path, port: int) -> None:
    """Serve until a signal, on one port number: TCP for WebSocket and batches, UDP for WebTransport."""
    messages = Messages()
    made = make_certificate(folder)
    async with serve(
        lambda peer: Board(messages, peer),
        "127.0.0.1",
        port,
        ssl=made.certificate,
        transports=["websocket", "http", "webtransport"],
    ) as server:
        print("serving", server.http_url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.webtransport_integrated.server", description=__doc__)
    parser.add_argument("--port", type=int, default=4433, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--certificates", type=Path, required=True, help="folder for certificate, key and authority")
    told = parser.parse_args()
    asyncio.run(main(told.certificates, told.port))
