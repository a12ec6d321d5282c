"""`python -m capnweb_runtime serve module:factory`: a server. Rule: it is what `serve()` makes, and `run()` runs, of
the options; what goes wrong before it serves is one line.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import secrets
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from capnweb_runtime.health import Check, Health
from capnweb_runtime.inspector.settings import Inspector, Mode
from capnweb_runtime.running.failures import Failed, cannot_listen, place, reason
from capnweb_runtime.running.loading import load_service
from capnweb_runtime.running.options import SECRET, count, port, seconds, several
from capnweb_runtime.running.supervised import Supervised
from capnweb_runtime.running.workers import run_workers
from capnweb_runtime.serving.certificate import Certificate
from capnweb_runtime.serving.handed_over import systemd_sockets
from capnweb_runtime.serving.hosts import is_loopback
from capnweb_runtime.serving.peer import Transport
from capnweb_runtime.serving.serve import Serving, serve
from capnweb_runtime.serving.service import Service

if TYPE_CHECKING:
    from capnweb_runtime.running.application import Join
    from capnweb_runtime.running.options import Commands
    from capnweb_runtime.serving.server import Server

HOST = "127.0.0.1"
PORT = 8080
TOKEN = "CAPNWEB_INSPECTOR_TOKEN"
"""Variable of the environment that has the token of the inspector."""
BACKPLANE = "CAPNWEB_BACKPLANE"
"""Variable of the environment that has the URL of the backplane, where that has a password: command lines are seen by
everybody on the machine.
"""
_LEVELS = ("debug", "info", "warning", "error", "critical")


def add(commands: Commands) -> None:
    """Adds the command to those of the program."""
    parser = commands.add_parser(
        "serve",
        help="serve sessions until told to stop, by Ctrl-C or SIGTERM",
        description="Serves sessions until told to stop, by Ctrl-C or SIGTERM; then lets calls end, and ends.",
    )
    known = ",".join(get_args(Transport))
    add_option = parser.add_argument
    add_option(
        "factory", metavar="module:factory", help="what makes the main object of a session from its peer, or a Service"
    )
    add_option("--host", type=several, metavar="LIST", help=f"addresses to listen on (default: {HOST})")
    add_option("--port", type=port, help=f"0 is any that is free (default: {PORT})")
    add_option("--unix", metavar="FILE", help="listen on a socket that is a file; without --port on nothing else")
    add_option("--systemd", action="store_true", help="listen on the sockets that systemd has opened, likewise")
    add_option("--path", default="/", help="path that is served (default: %(default)s)")
    add_option("--tls-cert", metavar="FILE", help="certificate, in PEM, with those that lead to one that is trusted")
    add_option("--tls-key", metavar="FILE", help="its key, in PEM, where it is not in the same file")
    add_option("--transports", type=several, metavar="LIST", default=["websocket", "http"], help=f"of {known}")
    add_option("--origins", type=several, metavar="LIST", help="pages that may connect beside those of this server")
    add_option("--hosts", type=several, metavar="LIST", help="names that the server answers to")
    add_option("--forwarded", type=several, metavar="LIST", help="proxies that are believed, or how many there are")
    add_option("--reflection", action="store_true", help="answer a GET of the path with the IR of what is served")
    modes = get_args(Mode)
    add_option("--inspector", nargs="?", const="watch", choices=modes, help="a page at which the server can be watched")
    add_option("--drain", type=seconds, metavar="SECONDS", default=30.0, help="how long calls have to end")
    add_option("--workers", type=count, metavar="N", default=1, help="processes that share the port")
    shared = "redis://..., nats://... or memory:, or env: for the URL in CAPNWEB_BACKPLANE"
    add_option("--backplane", metavar="URL", help=f"what they share, for a function that is given the worker: {shared}")
    add_option(
        "--backplane-name", metavar="NAME", default="capnweb", help="of what is kept there (default: %(default)s)"
    )
    add_option(
        "--cluster", metavar="HOST:PORT", help="where workers reach each other; port 0 is one of each worker's own"
    )
    add_option(
        "--cluster-secret", metavar="FILE", help="what they know each other by; else CAPNWEB_CLUSTER_SECRET has it"
    )
    add_option("--alive", metavar="PATH", help="where to tell that the process answers, such as /healthz")
    add_option("--ready", metavar="PATH", help="where to tell whether it should get traffic, such as /readyz")
    add_option("--log-level", choices=_LEVELS, default="info", help="of what is logged (default: %(default)s)")
    # A worker: its end of the line, and the sockets that are ready.
    add_option("--supervised", type=int, help=argparse.SUPPRESS)
    add_option("--handed", type=int, action="append", default=[], help=argparse.SUPPRESS)
    add_option("--own", type=int, action="append", default=[], help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Serves until told to stop.

    Raises:
        Failed: nothing can be served.
    """
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    if options.tls_key is not None and options.tls_cert is None:
        raise Failed("--tls-key is of no use without --tls-cert", code=2)
    if options.supervised is None and options.systemd:
        options.sockets = systemd_sockets()
        if not options.sockets:
            raise Failed("systemd has opened no socket for this process: start it by a unit that belongs to a .socket")
    else:
        options.sockets = [socket.socket(fileno=number) for number in options.handed]
    if options.port is None and (options.host is not None or not (options.unix or options.systemd)):
        options.port = PORT
    options.host = options.host or [HOST]
    if options.workers > 1 and options.inspector is not None:
        raise Failed("--inspector shows what one process does: leave out --workers", code=2)
    options.backplane = _backplane(options)
    if options.cluster is not None:
        _share_secret(options)
    if options.workers > 1 and options.supervised is None:
        run_workers(options)
    else:
        asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    if options.backplane is None:
        await _serve_with(load_service(options.factory), options)
        return
    # Of no use to servers that share nothing.
    from capnweb_runtime.running.application import opened, ready_with  # noqa: PLC0415

    where = options.factory, options.backplane, options.backplane_name
    async with opened(*where, None if options.cluster is None else _joins(options)) as (service, worker):
        await _serve_with(service, options, [ready_with(worker.backplane)], worker.leaving.set)


async def _serve_with(
    service: Service,
    options: argparse.Namespace,
    checks: Sequence[Check] = (),
    on_leaving: Callable[[], object] | None = None,
) -> None:
    serving = _serving(service, options, checks)
    try:
        server = await serving
    except ImportError as error:  # of an extra
        raise Failed(f"{options.factory} cannot be served as asked: {error}") from None
    except OSError as error:
        raise cannot_listen(error, place(options.host, options.port or 0)) from None
    # What has been imported stays. Each time the collector walked through it, every session would wait: for ten
    # milliseconds, where there is not much of it.
    gc.freeze()
    try:
        await _run(server, options, on_leaving)
    finally:
        await server.close()


async def _run(server: Server, options: argparse.Namespace, on_leaving: Callable[[], object] | None) -> None:
    grace = options.drain

    async def tell() -> None:
        if on_leaving is not None:
            on_leaving()

    async def leave() -> None:
        await tell()
        await server.leave(grace)

    async def stop() -> None:
        await tell()
        await server.drain(grace)

    running = asyncio.ensure_future(server.run(grace=grace, on_stop=None if on_leaving is None else tell))
    await asyncio.sleep(0)  # signals are handled from now on
    if options.supervised is None:
        print(f"serving {server.url} and {server.http_url}", flush=True)
        if server.inspector_url:
            print(f"inspector at {server.inspector_url}", flush=True)
        await running
        return
    supervised = Supervised(options.supervised, leave, stop)
    try:
        supervised.ready(f"{server.url} and {server.http_url}")
        await running
    finally:
        await supervised.close()


def _serving(service: Service, options: argparse.Namespace, checks: Sequence[Check]) -> Serving:
    given = service.options.copy()
    given["health"] = _health(given.get("health"), options, checks)
    try:
        serving = serve(
            service.main_factory,
            options.host,
            options.port,
            sock=options.sockets,
            unix=options.unix if options.supervised is None else None,
            path=options.path,
            ssl=_certificate(options),
            transports=options.transports,
            origins=options.origins,
            hosts=options.hosts,
            forwarded=_forwarded(options.forwarded),
            reflection=options.reflection,
            inspector=_inspector(options.inspector),
            reuse_port=options.supervised is not None and options.port is not None,
            **given,
        )
    except (LookupError, TypeError, ValueError) as error:
        raise Failed(f"{options.factory} cannot be served as asked: {error}") from None
    return serving.on([socket.socket(fileno=number) for number in options.own])


def _backplane(options: argparse.Namespace) -> str | None:
    """The URL of the backplane, if one is asked for."""
    given: str | None = options.backplane
    url = os.environ.get(BACKPLANE) if given == "env:" else given
    if url is None and given is not None:
        raise Failed(f"--backplane env: takes the URL from {BACKPLANE}, which is not set", code=2)
    if url is not None and url.startswith("memory:") and options.workers > 1:
        raise Failed(
            f"--backplane memory: is for one process, and {options.workers} workers would have one each: "
            "give them redis://... or nats://..., or leave out --workers",
            code=2,
        )
    return url


def _share_secret(options: argparse.Namespace) -> None:
    """Makes a secret for workers of this machine alone that were given none, and inherit it."""
    if options.backplane is None:
        raise Failed("--cluster needs --backplane, by which workers find each other", code=2)
    host = options.cluster.rpartition(":")[0].strip("[]")
    if options.supervised is None and options.cluster_secret is None and is_loopback(host):
        os.environ.setdefault(SECRET, secrets.token_hex(32))


def _joins(options: argparse.Namespace) -> Join:
    # Of no use to workers without objects that have one owner.
    from capnweb_runtime.running.clustered import clustered  # noqa: PLC0415

    return lambda backplane: clustered(backplane, options.cluster, options.cluster_secret)


def _health(given: Health | None, options: argparse.Namespace, checks: Sequence[Check]) -> Health | None:
    """What is told of the server's health, if anything. A path on the command line is the one."""
    if options.alive is None and options.ready is None and given is None:
        return None
    health = given or Health()
    alive, ready = options.alive or health.alive, options.ready or health.ready
    return replace(health, alive=alive, ready=ready, checks=() if ready is None else (*health.checks, *checks))


def _inspector(mode: Mode | None) -> Inspector | None:
    """How the server is inspected, if it is. A server that others may reach takes the token from the environment."""
    return None if mode is None else Inspector(mode=mode, token=os.environ.get(TOKEN) or None)


def _forwarded(given: list[str] | None) -> list[str] | int | None:
    """Addresses of proxies, or their number."""
    return int(given[0]) if given is not None and len(given) == 1 and given[0].isdecimal() else given


def _certificate(options: argparse.Namespace) -> Certificate | None:
    """The certificate, if there is one, of which is known that it can be used."""
    if options.tls_cert is None:
        return None
    certificate = Certificate(options.tls_cert, options.tls_key)
    key = options.tls_key or options.tls_cert
    for file in (options.tls_cert, key):
        try:
            with Path(file).open("rb"):
                pass
        except OSError as error:
            raise Failed(f"cannot read {file}: {reason(error)}") from None
    try:
        certificate.context()
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Failed(f"the key in {key} is not that of the certificate in {options.tls_cert}") from None
        raise Failed(f"no certificate in {options.tls_cert} with its key in {key}: both have to be in PEM") from None
    return certificate
