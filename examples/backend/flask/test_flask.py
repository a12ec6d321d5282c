"""Blueprints out of a frozen context: tried with Flask's test client and a source of the test's own, and as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from typing import Any, cast

import pytest
from flask.testing import FlaskClient

from examples.backend.flask.context import RouteContext
from examples.backend.flask.market import Market
from examples.backend.flask.routes import application
from examples.backend.flask.schemas.quotes import Quote, UnknownSymbol
from examples.form.testing import as_documented


class OneQuote:
    """A source of quotes for tests: it has what `QuoteSource` asks for, and inherits from nothing."""

    def quote(self, symbol: str) -> Quote:
        if symbol != "ACME":
            raise UnknownSymbol(symbol)
        return Quote(symbol=symbol, cents=100)

    def symbols(self) -> list[str]:
        return ["ACME"]

    def changes(self, after: int) -> Iterator[tuple[int, Quote]]:
        yield after + 1, self.quote("ACME")


@pytest.fixture
def client() -> FlaskClient:
    return application(RouteContext(OneQuote())).test_client()


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("backend/flask")
    assert ran.number("quotes by RPC, in one HTTP request") == 3


def test_a_route_answers_out_of_what_it_was_given(client: FlaskClient) -> None:
    assert client.get("/api/quotes/ACME").json == {"symbol": "ACME", "cents": 100}
    missing = client.get("/api/quotes/HAL")
    assert (missing.status_code, missing.json) == (404, {"error": "HAL is not traded here", "symbol": "HAL"})


def test_events_go_on_after_the_last_that_was_seen(client: FlaskClient) -> None:
    answer = client.get("/api/events", headers={"Last-Event-ID": "7"})
    assert answer.mimetype == "text/event-stream"
    assert 'id: 8\nevent: quote\ndata: {"symbol":"ACME","cents":100}\n\n' in answer.text


@pytest.mark.parametrize("last", ["-1", "x", "٣", "1e3"])
def test_an_event_id_that_is_no_number_is_refused_before_the_stream_begins(client: FlaskClient, last: str) -> None:
    answer = client.get("/api/events", headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.mimetype) == (400, "application/json")


def test_a_stream_that_fails_says_so_and_not_why() -> None:
    answer = application(RouteContext(Market(fails_after=1))).test_client().get("/api/events")
    assert answer.text.endswith('event: failed\ndata: {"error": "ConnectionError"}\n\n')
    assert "exchange" not in answer.text


def test_a_context_and_its_settings_cannot_be_changed_and_are_no_view_of_something_that_can() -> None:
    settings = {"currency": "EUR"}
    context = RouteContext(OneQuote(), settings)
    settings["currency"] = "USD"
    assert context.settings["currency"] == "EUR"
    with pytest.raises(TypeError):
        cast(Any, context.settings)["currency"] = "USD"
    with pytest.raises(FrozenInstanceError):
        cast(Any, context).quotes = None
