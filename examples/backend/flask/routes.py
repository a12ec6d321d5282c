"""Blueprints, each made by a function of the context: no globals, no application that has to exist at import."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, jsonify, request

from capnweb_runtime.mounts.flask import blueprint
from examples.backend.flask.context import RouteContext
from examples.backend.flask.generated.quotes import QuotesTarget
from examples.backend.flask.schemas.quotes import Quote, Symbol, UnknownSymbol

RETRY = 2000
"""Milliseconds after which a page that has lost its events asks again."""


class Quotes(QuotesTarget):
    """The same quotes for clients of RPC."""

    def __init__(self, context: RouteContext) -> None:
        self._quotes = context.quotes

    def quote(self, symbol: Symbol) -> Quote:
        return self._quotes.quote(symbol)

    def symbols(self) -> list[str]:
        return self._quotes.symbols()


def quotes_blueprint(context: RouteContext) -> Blueprint:
    """Quotes as JSON."""
    made = Blueprint("quotes", __name__, url_prefix="/api/quotes")

    @made.get("/<symbol>")
    def one(symbol: str) -> Response:
        return jsonify(context.quotes.quote(symbol).model_dump())

    @made.errorhandler(UnknownSymbol)
    def unknown(error: UnknownSymbol) -> tuple[Response, int]:
        return jsonify(error=str(error), symbol=error.symbol), 404

    return made


def events_blueprint(context: RouteContext) -> Blueprint:
    """Changes as server-sent events. A page that comes back says which one it has seen last."""
    made = Blueprint("events", __name__, url_prefix="/api/events")

    def lines(after: int) -> Iterator[str]:
        yield f"retry: {RETRY}\n\n"
        try:
            for number, quote in context.quotes.changes(after):
                yield f"id: {number}\nevent: quote\ndata: {quote.model_dump_json()}\n\n"
        except Exception as error:
            # The status has long been sent, so an error is an event, too. Its text may be anybody's; its name is not.
            yield f"event: failed\ndata: {json.dumps({'error': type(error).__name__})}\n\n"

    @made.get("")
    def events() -> Response | tuple[Response, int]:
        last = request.headers.get("Last-Event-ID", "0")
        if not last.isascii() or not last.isdigit():
            return jsonify(error="Last-Event-ID is no number of an event"), 400
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # what nginx holds back comes too late
        return Response(lines(int(last)), mimetype="text/event-stream", headers=headers)

    return made


def application(context: RouteContext) -> Flask:
    """The application: its routes, its events, and RPC at /rpc."""
    made = Flask(__name__)
    made.register_blueprint(quotes_blueprint(context))
    made.register_blueprint(events_blueprint(context))
    made.register_blueprint(blueprint(lambda peer: Quotes(context), url_prefix="/rpc"))
    return made
