"""The application: Socket.IO at /socket.io/, RPC at /rpc, one board behind both."""

from __future__ import annotations

from aiohttp import web

from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from examples.backend.socketio.board import Board
from examples.backend.socketio.events import SocketContext, register
from examples.backend.socketio.generated.rooms import RoomsTarget
from examples.backend.socketio.schemas.rooms import Message
from examples.backend.socketio.typed import event_server


class Rooms(RoomsTarget):
    """The same board, for clients of RPC."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def post(self, message: Message) -> int:
        return await self._board.post(message)

    async def messages(self, room: str) -> list[str]:
        return self._board.messages(room)


def application() -> web.Application:
    """The application, with both ways in."""
    app, events = web.Application(), event_server()

    async def tell(message: Message) -> None:
        await events.emit("posted", message.model_dump(), to=message.room)

    board = Board(tell)
    events.attach(app)
    register(SocketContext(events, board))
    CapnwebAiohttp(lambda peer: Rooms(board)).add_to(app, "/rpc")
    return app
