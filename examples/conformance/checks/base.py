"""What every check has: sessions with the server under test, connections that see messages as they are, and
comparisons.

A check is a coroutine function with a name. It passes if it returns. Checks over both transports get a `Ground` whose
`ask` makes one exchange over either.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import aiohttp
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

from capnweb_runtime import Observer, RpcTarget, connect
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.errors import wire_message, wire_type
from examples.conformance.generated.conformance import ConformanceApiStub

if TYPE_CHECKING:
    from examples.conformance.webtransport import WebTransportLines

T = TypeVar("T")
Message = list[Any]
Transport = Literal["WebSocket", "HTTP batch"]
TRIES = 200
PAUSE = 0.01
"""Seconds between two looks at something that happens without a message."""


class Wrong(Exception):
    """The server did something else than it should; the message says what."""


# ---- comparisons


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal, with nan equal to itself, and of types that the wire tells apart."""
    kind, other_kind = type(one).__name__, type(other).__name__
    if kind == "float" and one != one:
        return bool(other != other)
    if kind not in ("int", "float") and kind != other_kind:
        return False
    if kind == "list":
        return len(one) == len(other) and all(map(alike, one, other))
    if kind == "dict":
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if kind == "array" and one.typecode != other.typecode:
        return False
    return bool(one == other) and (kind == "bool") == (other_kind == "bool")


def is_expression(item: Any, kind: str) -> bool:
    """Whether part of a message is an expression of a kind, such as an error."""
    return type(item) is list and item[:1] == [kind]


def equal(got: object, wanted: object) -> None:
    """Fail unless two values are alike."""
    if not alike(got, wanted):
        raise Wrong(f"got {_shown(got)}, not {_shown(wanted)}")


def true(condition: object, why: str) -> None:
    """Fail with a reason unless the condition holds."""
    if not condition:
        raise Wrong(why)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


async def failure(awaitable: Awaitable[object]) -> Exception:
    """The error that something is rejected with."""
    try:
        value = await awaitable
    except Exception as error:
        return error
    raise Wrong(f"was fulfilled with {_shown(value)}")


async def fails(awaitable: Awaitable[object], kind: str, *parts: str) -> None:
    """Fail unless something is rejected with an error of a type, whose message has all of the parts."""
    error = await failure(awaitable)
    if wire_type(error) != kind or not all(part in wire_message(error) for part in parts):
        raise Wrong(f"was rejected with {wire_type(error)}: {error}, not {kind}: {' ... '.join(parts)}")


async def eventually(ask: Callable[[], Awaitable[object]], wanted: Callable[[Any], bool]) -> None:
    """Ask until the answer is as wanted: what happens at the server after a release has no message of its own."""
    got: object = None
    for _ in range(TRIES):
        got = await ask()
        if wanted(got):
            return
        await asyncio.sleep(PAUSE)
    raise Wrong(f"stayed at {_shown(got)}")


# ---- messages as they are


class Wire:
    """A WebSocket, or a session over WebTransport, whose messages are written and read as JSON trees."""

    def __init__(self, connection: ClientConnection | WebTransportLines) -> None:
        self.connection = connection

    async def send(self, *messages: Any) -> None:
        """Send messages, each in a frame."""
        for message in messages:
            await self.connection.send(json.dumps(message, separators=(",", ":")))

    async def raw(self, frame: str | bytes) -> None:
        """Send a frame as it is."""
        await self.connection.send(frame)

    async def text(self) -> str | None:
        """The next frame, or None once the connection is closed."""
        try:
            frame = await self.connection.recv()
        except (ConnectionClosed, EOFError):
            return None
        if not isinstance(frame, str):
            raise Wrong(f"a binary frame came: {frame[:40]!r}")
        return frame

    async def next(self) -> Message:
        """The next message."""
        text = await self.text()
        if text is None:
            raise Wrong(f"the connection was closed: {self.connection.close_code} {self.connection.close_reason}")
        message: Message = json.loads(text)
        true(type(message) is list and message, f"no message: {text}")
        return message

    async def wait(self, *kinds: str) -> Message:
        """The next message of one of the kinds; others are left out, but an abort is never."""
        while True:
            message = await self.next()
            if message[0] in kinds:
                return message
            if message[0] == "abort":
                raise Wrong(f"the session was aborted: {message}")

    async def answer(self, number: int) -> Message:
        """The answer to a call; those to others are left out."""
        while True:
            message = await self.wait("resolve", "reject")
            if message[1] == number:
                return message

    async def ask(self, number: int, expression: Any) -> Message:
        """Make a call, which gets the next id, and return its answer."""
        await self.send(["push", expression], ["pull", number])
        return await self.answer(number)

    async def alive(self, number: int) -> None:
        """Fail unless the session still answers; the call gets the next id."""
        equal(await self.ask(number, call("square", 3)), ["resolve", number, 9])

    async def closed(self) -> tuple[int, str]:
        """Wait for the connection's end and return the code and the reason."""
        while await self.text() is not None:
            pass
        return self.connection.close_code or 0, self.connection.close_reason or ""

    async def hang_up(self) -> None:
        """Close the connection from this side."""
        if isinstance(self.connection, ClientConnection):
            await self.connection.close()
        else:
            await self.connection.hang_up()


async def _hang_up(connection: ClientConnection) -> None:
    # asyncio of Python 3.11 trips over a transport that broke down while a long frame was being written.
    with contextlib.suppress(AttributeError):
        await connection.close()


def call(name: str | list[Any], *arguments: Any) -> list[Any]:
    """The expression of a call of the main object."""
    return ["pipeline", 0, [name] if isinstance(name, str) else name, list(arguments)]


def read(*path: Any) -> list[Any]:
    """The expression of a property of the main object."""
    return ["pipeline", 0, list(path)]


def nested(levels: int, leaf: Any) -> Any:
    """A leaf in so many escaped arrays."""
    for _ in range(levels):
        leaf = [[leaf]]
    return leaf


# ---- checks


class Silent(Observer):
    """Callbacks of checks fail on purpose: nobody is to hear of it."""

    def target_failed(self, where: str, error: BaseException) -> None:
        pass


@dataclass(slots=True)
class Ground:
    """One check's access to the server.

    Attributes:
        ws: URL of the WebSocket.
        http: URL of the HTTP batch.
        transport: over which `ask` goes.
        webtransport: whether sessions are over WebTransport, at `http`.
        insecure: whether the server's certificate is not checked.
        stack: closes, after the check, what it has opened.
    """

    ws: str
    http: str
    transport: Transport = "WebSocket"
    webtransport: bool = False
    insecure: bool = False
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def session(self, main: RpcTarget | None = None) -> ConformanceApiStub:
        """A new session over WebSocket or WebTransport."""
        return await self.stack.enter_async_context(self._connect(main))

    def _connect(self, main: RpcTarget | None = None) -> Connecting[ConformanceApiStub]:
        """What connects: over WebSocket or WebTransport."""
        if not self.webtransport:
            return connect(self.ws, ConformanceApiStub, main=main, observer=Silent())
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return connect(
            self.http, ConformanceApiStub, main=main, observer=Silent(), transport="webtransport", ssl=context
        )

    async def ask(self, make: Callable[[ConformanceApiStub], Awaitable[T]]) -> T:
        """The result of something that is asked in a session of its own."""
        batch = self.transport == "HTTP batch"
        async with connect(self.http, ConformanceApiStub, observer=Silent()) if batch else self._connect() as api:
            return await make(api)

    async def wire(self) -> Wire:
        """A new connection without a session of ours."""
        if self.webtransport:
            # An extra, of use to those alone who ask for it.
            from examples.conformance.webtransport import webtransport_lines  # noqa: PLC0415

            return Wire(await self.stack.enter_async_context(webtransport_lines(self.http, insecure=self.insecure)))
        connection = await open_websocket(self.ws, compression=None, max_size=None, close_timeout=2)
        self.stack.push_async_callback(_hang_up, connection)
        return Wire(connection)

    async def post(self, body: str | bytes, method: str = "POST") -> tuple[int, str]:
        """Status and text of the answer to an HTTP request."""
        async with aiohttp.ClientSession() as session, session.request(method, self.http, data=body) as response:
            return response.status, await response.text()

    async def batch(self, *messages: Any) -> tuple[int, list[Message]]:
        """Status and messages of the answer to a batch of messages."""
        status, text = await self.post("\n".join(json.dumps(message) for message in messages))
        return status, [json.loads(line) for line in text.split("\n")] if text else []


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour that a server has to show.

    Attributes:
        name: the behaviour.
        points: numbers of `POINTS` that it is about.
        transport: over which it is checked.
        run: shows it.
        frames: whether it is about frames of a WebSocket.
    """

    name: str
    points: tuple[int, ...]
    transport: Transport
    run: Callable[[Ground], Awaitable[None]]
    frames: bool = False


CHECKS: list[Check] = []
Run = Callable[[Ground], Awaitable[None]]


def check(
    name: str, *points: int, both: bool = False, http: bool = False, frames: bool = False
) -> Callable[[Run], Run]:
    """Make a function a check, over WebSocket if nothing else is said.

    Parameters:
        name: the behaviour.
        points: numbers of `POINTS`.
        both: whether it is checked over HTTP batch as well.
        http: whether it is checked over HTTP batch alone.
        frames: whether it is about frames of a WebSocket.
    """

    def add(run: Run) -> Run:
        if both:
            CHECKS.append(Check(f"{name} (WebSocket)", points, "WebSocket", run))
            CHECKS.append(Check(f"{name} (HTTP batch)", points, "HTTP batch", run))
        else:
            CHECKS.append(Check(name, points, "HTTP batch" if http else "WebSocket", run, frames))
        return run

    return add


def aborts(name: str, *points: int, frames: list[Any], kind: str | None, parts: tuple[str, ...] = ()) -> None:
    """Make a check: these frames end the session, with an abort that names the error and a close of code 3000.

    Parameters:
        name: the behaviour.
        points: numbers of `POINTS`.
        frames: messages; a str or bytes is sent as it is.
        kind: type of the error; None means any.
        parts: what its message has in it.
    """

    async def run(ground: Ground) -> None:
        wire = await ground.wire()
        for frame in frames:
            await (wire.raw(frame) if isinstance(frame, (str, bytes)) else wire.send(frame))
        while (message := await wire.next())[0] != "abort":
            pass
        _, error = message
        true(is_expression(error, "error") and len(error) >= 3, f"the abort has no error: {error}")
        true(kind in (None, error[1]), f"the abort is a {error[1]}: {error[2]}, not a {kind}")
        true(all(part in error[2] for part in parts), f"the abort says {error[2]!r}")
        code, reason = await wire.closed()
        equal(code, 3000)
        true(error[2].startswith(reason) and len(reason.encode()) <= 123, f"the reason is {reason!r}")

    CHECKS.append(Check(name, points, "WebSocket", run, any(isinstance(frame, bytes) for frame in frames)))


def answers(name: str, *points: int, expression: Any, answer: Any) -> None:
    """Make a check: a call is answered by this result; a str instead of an expression is JSON text of it.

    Parameters:
        name: the behaviour.
        points: numbers of `POINTS`.
        expression: what is pushed.
        answer: the expression that it resolves to, or ["reject", error].
    """

    async def run(ground: Ground) -> None:
        wire = await ground.wire()
        text = expression if isinstance(expression, str) else json.dumps(expression)
        await wire.raw(f'["push",{text}]')
        await wire.send(["pull", 1])
        kind, _, got = await wire.answer(1)
        equal([kind, got], answer if is_expression(answer, "reject") else ["resolve", answer])
        await wire.alive(2)

    CHECKS.append(Check(name, points, "WebSocket", run))
