"""The application on a port: `python -m examples.backend.flask.server --port 8080`.

In production: `gunicorn --threads 8 "examples.backend.flask.server:create()"`.
"""

from __future__ import annotations

import argparse
import logging

from flask import Flask
from werkzeug.serving import make_server

from examples.backend.flask.context import RouteContext
from examples.backend.flask.market import Market
from examples.backend.flask.routes import application


def create(fails_after: int | None = None) -> Flask:
    """The application, with everything that it needs."""
    return application(RouteContext(Market(fails_after), {"currency": "EUR"}))


def main(port: int, fails_after: int | None) -> None:
    """Serve until a signal, with the server that comes with Flask, so that nothing else has to be installed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    server = make_server("127.0.0.1", port, create(fails_after), threaded=True)
    print(f"serving http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.flask.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--fails-after", type=int, metavar="NUMBER", help="cut the line after this change")
    told = parser.parse_args()
    main(told.port, told.fails_after)
