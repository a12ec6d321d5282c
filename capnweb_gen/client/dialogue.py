"""Questions and answers, one line each. Rule: what was asked before can be asked on, under its name, for as long as the
session lasts; a line that fails changes nothing.
"""

from __future__ import annotations

from typing import Protocol, cast

from capnweb_gen.client.asking import Server, ask
from capnweb_gen.client.completing import candidates, explained
from capnweb_gen.client.described import Described, Type
from capnweb_gen.client.expression import ExpressionError, Span, parse, parse_line
from capnweb_gen.client.plan import Plan, Planner
from capnweb_gen.client.shown import Shown, clean
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.objects.any_stub import AnyPromise, AnyStub
from capnweb_runtime.objects.streams import ReadableStream

LAST = "_"
"""The name for the last result."""
HELP = "help"


class Printer(Protocol):
    """Where a dialogue writes to."""

    def result(self, text: str) -> None:
        """What was asked for."""
        ...

    def aside(self, text: str) -> None:
        """What else there is to say."""
        ...


class Dialogue:
    """Asks a server what is typed.

    Args:
        server: which.
        described: what is said of it; None if nothing is known.
        shown: makes text of results.
        printer: where to write that.
    """

    def __init__(self, server: Server, described: Described | None, shown: Shown, printer: Printer) -> None:
        self._server = server
        self._described = described
        self._shown = shown
        self._printer = printer
        self._session: Connecting[AnyStub] | None = None
        self._main: AnyStub | None = None
        self._lost: BaseException | None = None  # why the session has ended, if it has by itself
        self._promises: dict[str, AnyPromise] = {}
        self._types: dict[str, Type] = {}

    def candidates(self, before: str) -> list[str]:
        """What the word before the cursor could become."""
        return candidates(self._described, self._types, before.removeprefix(f"{HELP} "))

    def help(self, text: str) -> None:
        """Says what is known of something, or of everything. Raises ExpressionError if there is no such thing."""
        node = parse(text) if text.strip() else None
        for line in explained(self._described, self._types, node):
            self._printer.result(clean(line))

    async def open(self) -> None:
        """Opens the session, if there is none and there are to be any. Raises SessionClosed if that fails."""
        if self._lost is not None:
            lost = f"the session had ended ({self._lost}): this is a new one, without the names of the old"
            await self.aclose()
            self._printer.aside(clean(lost))
        if self._main is None and not self._server.is_batch:
            self._session = self._server.connect()
            self._main = await self._session
            self._main.on_broken(self._broken)

    async def answer(self, text: str) -> None:
        """Asks what is typed, and prints the answer.

        Raises:
            ExpressionError: it cannot be asked for; nothing has been sent.
            Exception: what the answer is, or why there is none.
        """
        line = parse_line(text)
        if line.name is not None:
            self._check_name(line.name, text)
        await self.open()
        planner = Planner(self._described, self._types)
        plan = planner.plan(line.node)
        for warning in planner.warnings:
            self._printer.aside(clean(f"warning: {warning}"))
        if self._main is None:
            await ask_once(self._server, plan, self._shown, self._printer)
            return
        promise = ask(self._main, plan, self._promises)
        await show(promise, plan, self._shown, self._printer, quiet=line.name is not None)
        for name in (LAST, line.name) if line.name is not None else (LAST,):
            self._keep(name, promise, plan.kind)

    async def aclose(self) -> None:
        """Ends the session, and forgets all names."""
        session, self._session, self._main, self._lost = self._session, None, None, None
        for name in list(self._promises):
            self._forget(name)
        if session is not None:
            await session.__aexit__(None, None, None)

    def _broken(self, reason: BaseException) -> None:
        if self._main is not None:  # or else it was ended from here
            self._lost = reason

    def _check_name(self, name: str, text: str) -> None:
        """Raises ExpressionError for what cannot be the name of a result."""
        start = len(text) - len(text.lstrip())
        span = Span(start, start + len(name))
        if self._server.is_batch:
            hint = "results are kept in sessions: use a ws:// or wss:// URL"
            raise ExpressionError("a batch ends with its answer", span, hint)
        if self._described is not None and self._described.attribute(self._described.main, name) is not None:
            raise ExpressionError(f"{name} is a member of the main object", span, "use another name")
        if name in (LAST, HELP):
            raise ExpressionError(f"{name} has a meaning of its own here", span, "use another name")

    def _keep(self, name: str, promise: AnyPromise, kind: Type) -> None:
        if self._promises.get(name) is not promise:
            self._forget(name)
        self._promises[name] = promise
        self._types[name] = kind

    def _forget(self, name: str) -> None:
        """Takes a name away, and gives back what only that stood for."""
        promise = self._promises.pop(name, None)
        self._types.pop(name, None)
        if promise is not None and all(other is not promise for other in self._promises.values()):
            promise.dispose()


async def ask_once(server: Server, plan: Plan, shown: Shown, printer: Printer) -> None:
    """Asks one thing in a session of its own, and prints the answer; see `show`."""
    async with server.connect() as main:
        with ask(main, plan, {}) as promise:
            await show(promise, plan, shown, printer)


async def show(promise: AnyPromise, plan: Plan, shown: Shown, printer: Printer, *, quiet: bool = False) -> None:
    """Waits for a result, and prints it: a stream item by item, as they come.

    Args:
        promise: of the result.
        plan: what was asked for.
        shown: makes text of it.
        printer: where to write that.
        quiet: whether nothing is to be printed, unless it is a stream.

    Raises:
        Exception: what came in its place.
    """
    value: object = await promise
    if isinstance(value, ReadableStream):
        async with value:
            async for item in cast("ReadableStream[object]", value):
                printer.result(shown.item(item, plan.kind))
    elif not quiet:
        printer.result(shown.whole(value, plan.kind))
