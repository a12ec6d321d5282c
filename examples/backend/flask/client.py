"""Clients of all three kinds: routes, events, RPC."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from capnweb_runtime import connect
from examples.backend.flask.generated.quotes import QuotesStub
from examples.backend.flask.schemas.quotes import Quote


@dataclass(frozen=True)
class Event:
    """A server-sent event."""

    kind: str
    number: str
    data: Any


async def all_quotes(url: str) -> list[Quote]:
    """Every quote, by RPC: the symbols are asked for and mapped over in one HTTP request."""
    async with connect(f"{url}rpc", QuotesStub) as api:
        return await api.symbols().map(api.quote)


async def by_route(url: str, symbol: str) -> tuple[int, dict[str, Any]]:
    """A quote by its route: the status, and the JSON."""
    async with ClientSession() as session, session.get(f"{url}api/quotes/{symbol}") as answer:
        return answer.status, await answer.json()


async def events(url: str, after: str = "") -> list[Event]:
    """The events after one, until the server ends them."""
    headers = {"Last-Event-ID": after} if after else {}
    async with ClientSession() as session, session.get(f"{url}api/events", headers=headers) as answer:
        text = await answer.text()
    found: list[Event] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "data" in fields:
            found.append(Event(fields["event"], fields.get("id", ""), json.loads(fields["data"])))
    return found
