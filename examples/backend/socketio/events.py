"""The events, each checked by a model before its handler runs.

Rule: handlers are registered by a function that is given a context; whatever goes wrong in one reaches its client as
the event `error`, always of the same form, and nobody else.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from examples.backend.socketio.board import Board
from examples.backend.socketio.schemas.rooms import Message
from examples.backend.socketio.typed import EventServer, Handler

log = logging.getLogger(__name__)
M = TypeVar("M", bound=BaseModel)


class Entering(BaseModel):
    """The payload of `enter`."""

    room: str


class Failure(BaseModel):
    """The payload of `error`.

    Attributes:
        event: which event it is about.
        code: "invalid" for a payload that does not fit, "failed" for anything that is no fault of the client's.
        message: what was wrong; of a failure only a number under which the log has it.
    """

    event: str
    code: str
    message: str


@dataclass(frozen=True)
class SocketContext:
    """What handlers are given.

    Attributes:
        events: sends events.
        board: keeps what is posted, by whatever way it comes.
    """

    events: EventServer
    board: Board


def register(context: SocketContext) -> None:
    """Register every handler."""

    async def enter(sid: str, entering: Entering) -> int:
        await context.events.enter_room(sid, entering.room)
        return len(context.board.messages(entering.room))

    async def post(sid: str, message: Message) -> int:
        return await context.board.post(message)

    context.events.on("enter", checked(context.events, "enter", Entering, enter))
    context.events.on("post", checked(context.events, "post", Message, post))


def checked(events: EventServer, event: str, model: type[M], handler: Callable[[str, M], Awaitable[object]]) -> Handler:
    """A handler that is given what arrives as an instance of a model, and whose failures are told.

    Parameters:
        events: sends the event `error`.
        event: what is handled.
        model: of its payload.
        handler: is given the session and the payload; what it returns is the answer, if the client waits for one.
    """

    async def handle(sid: str, payload: object = None) -> object:
        try:
            return await handler(sid, model.model_validate(payload, strict=True))
        except ValidationError as error:
            failure = Failure(event=event, code="invalid", message=said(error))
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("the handler of %s failed: reference %s", event, reference)
            failure = Failure(event=event, code="failed", message=f"the server's log says why, under {reference}")
        await events.emit("error", failure.model_dump(), to=sid)
        return None

    return handle


def said(error: ValidationError) -> str:
    """What is wrong with a payload, without what it holds: that may be somebody's secret."""
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'payload'}: {fault['msg']}" for fault in error.errors())
