"""A Flask application with a mount, as people have them."""

from __future__ import annotations

from flask import Flask, g
from flask import request as flask_request

from capnweb_runtime import Peer, Refuse
from capnweb_runtime.mounts.flask import blueprint
from tests.runtime.mounts.office import HEALTH, OfficeTarget


async def office(peer: Peer) -> OfficeTarget:
    if peer.headers.get("X-Agent") == "nobody":
        raise Refuse(401, "Nobody has no office.", {"WWW-Authenticate": "Bearer"})
    return OfficeTarget(peer, [g.found, flask_request.cookies.get("a")])


app = Flask(__name__)
app.register_blueprint(blueprint(office, url_prefix="/rpc", health=HEALTH))


@app.before_request
def find() -> None:
    g.found = "before the request"
