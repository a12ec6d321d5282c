"""The server as a blueprint of a Flask application, for HTTP batches. Rule: WSGI holds no sockets and has no event
loop; sessions run on that of the process's background thread, and a request waits for its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Unpack
from urllib.parse import quote

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from capnweb_runtime.blocking.background import background
from capnweb_runtime.mounts.mount import MountOptions, Mounts
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.serving.peer import Peer, Refuse, peer_of
from capnweb_runtime.serving.replies import Reply
from capnweb_runtime.transports.keepalive import Silence

__all__ = ["blueprint"]

_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_IN_PATHS: Final = "/:@!$&'()*+,;=~"


def blueprint(
    main_factory: MainFactory, *, url_prefix: str = "/rpc", name: str = "capnweb", **options: Unpack[MountOptions]
) -> Blueprint:
    """Makes a blueprint that serves HTTP batches at one path of a Flask application: `app.register_blueprint(...)`.

    Parameters:
        main_factory: function that makes the main object for each batch, as for `serve`. It runs on the background
            thread. `Peer.request` is the environ of WSGI; Flask's `request`, `session` and `g` are those of the
            request.
        url_prefix: path of the batches, such as "/rpc"; "/rpc/" is served as well.
        name: name of the blueprint.
        options: options of `serve` with the same names and defaults, except that `path` is None: origins, hosts,
            limits, observer, request_timeout, errors, threads, server_limits, cancel_lost, call_timeout, interceptors,
            debug, plans, reflection, health.

    Returns:
        The blueprint.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does; also if `url_prefix` is no path below the root.
    """
    if not url_prefix.startswith("/") or not url_prefix.strip("/"):
        raise ValueError(f'url_prefix has to be a path, such as "/rpc", not {url_prefix!r}')
    options.setdefault("path", None)
    mounts = Mounts(main_factory, ["http"], Silence(None), options, frozenset(("http",)))
    mounts.check_path(url_prefix.rstrip("/"))
    made = Blueprint(name, __name__, url_prefix=url_prefix.rstrip("/"))

    def answer() -> Response:
        reply = _answer(mounts)
        return Response(reply.body, reply.status, reply.headers)

    for rule in ("", "/"):
        made.add_url_rule(rule, "batch", answer, methods=_METHODS, provide_automatic_options=False)

    def add_pages(state: BlueprintSetupState) -> None:
        # Those of `health` are paths of the application, and not below the prefix.
        for path in mounts.pages:
            endpoint = f"{name}{path}".replace(".", "-")
            state.app.add_url_rule(path, endpoint, answer, methods=_METHODS, provide_automatic_options=False)

    made.record(add_pages)
    return made


def _answer(mounts: Mounts) -> Reply:
    """Answers the request at hand, which the caller's thread waits for."""
    loop = background()
    peer, at = _peer_of()
    method, most = request.method, mounts.rules.limits.message_size

    def may() -> bool:
        try:
            mounts.here().check(peer, at)
        except Refuse:
            return False  # as the reply will say
        return method == "POST" and (request.content_length or 0) <= most

    # Read in this thread, which has the stream, and only for those who may send it.
    body = request.stream.read(most + 1) if loop.here(may) else b""
    return loop.wait(lambda: mounts.here().reply(method, peer, at, _once(body)), None)


def _once(body: bytes) -> Callable[[], Awaitable[bytes]]:
    rest = [body]

    async def chunk() -> bytes:
        return rest.pop() if rest else b""

    return chunk


def _peer_of() -> tuple[Peer, str | None]:
    """Who asks, and the address at which the request has arrived."""
    environ: dict[str, Any] = request.environ
    address, port = environ.get("REMOTE_ADDR"), str(environ.get("REMOTE_PORT", ""))
    peername = (address, int(port) if port.isdigit() else 0) if address else None
    target = f"{quote(request.path, safe=_IN_PATHS)}?{request.query_string.decode('latin-1')}"
    peer = peer_of(request.headers.items(), peername, target, "http", secure=request.is_secure)
    return replace(peer, request=environ), environ.get("SERVER_NAME")
