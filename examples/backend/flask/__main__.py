"""`python -m examples.backend.flask`: starts the application as a process, and asks it in all three ways."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any, cast

from capnweb_runtime import AnyStub, connect
from examples.backend.flask.client import all_quotes, by_route, events
from examples.backend.flask.context import RouteContext
from examples.backend.flask.generated.quotes import QuotesStub
from examples.backend.flask.market import MOVES, Market
from examples.backend.flask.schemas.quotes import UnknownSymbol
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

SERVER = "examples.backend.flask.server"


async def flask(report: Report) -> None:
    """Everything that the README claims."""
    frozen(report)
    async with started(SERVER, "--port", "0") as server:
        await same(report, server.url)
        await stream(report, server.url)
    async with started(SERVER, "--port", "0", "--fails-after", "2") as server:
        report.section("A stream that fails in the middle")
        seen = await events(server.url)
        report.check("events before it fails", [event.number for event in seen[:-1]], ["1", "2"])
        report.check(
            "the last event, in place of a cut connection",
            (seen[-1].kind, seen[-1].data["error"]),
            ("failed", "ConnectionError"),
        )


def frozen(report: Report) -> None:
    """A context that no request can change."""
    report.section("A context that no request can change")
    context = RouteContext(Market(), {"currency": "EUR"})
    changeable = cast(Any, context)
    try:
        changeable.quotes = None
    except FrozenInstanceError as error:
        report.check("another source of quotes", type(error).__name__, "FrozenInstanceError")
    try:
        changeable.settings["currency"] = "USD"
    except TypeError as error:
        report.check("another currency", type(error).__name__, "TypeError")


async def same(report: Report, url: str) -> None:
    """Routes and RPC answer alike."""
    report.section("Routes and RPC, out of one source")
    quotes = await all_quotes(url)
    routes = [await by_route(url, quote.symbol) for quote in quotes]
    report.check("quotes by RPC, in one HTTP request", len(quotes), 3)
    report.check("the routes say the same", [body for _, body in routes] == [quote.model_dump() for quote in quotes])
    status, body = await by_route(url, "NONE")
    report.check("an unknown symbol by its route: status", status, 404)
    report.check("... and what it says", body["error"], "NONE is not traded here")
    async with connect(f"{url}rpc", QuotesStub) as api:
        error = await report.refused("an unknown symbol by RPC", api.quote("NONE"), UnknownSymbol)
    report.check("the symbol that it names", error.symbol, "NONE")
    async with connect(f"{url}rpc", AnyStub) as untyped:
        wrong = await report.refused("a number for a symbol, by RPC", untyped.call("quote", 7), TypeError)
    report.say(str(wrong))


async def stream(report: Report, url: str) -> None:
    """Events, and a page that comes back."""
    report.section("Events for pages")
    every = await events(url)
    report.check("events", [event.number for event in every], [str(number) for number in range(1, len(MOVES) + 1)])
    missed = await events(url, "3")
    report.check("events for a page that was away after number 3", [event.number for event in missed], ["4", "5"])


if __name__ == "__main__":
    run("flask", flask)
