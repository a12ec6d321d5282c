"""What the services have in common: how they are started, and whom they serve.

Rule: a service serves whoever has the key of the mesh, which comes with the environment and stands on no command line.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from capnweb_runtime import Peer, Refuse, RpcTarget, serve
from examples.service_mesh.traces import traced

KEY = "MESH_KEY"
"""Variable of the environment with what services show to each other."""

T = TypeVar("T", bound=RpcTarget)


def credentials() -> dict[str, str]:
    """The headers that a service shows to another one."""
    return {"Authorization": f"Bearer {os.environ[KEY]}"}


def for_services(make: Callable[[], T]) -> Callable[[Peer], T]:
    """A factory for `serve` that refuses whoever does not have the key."""
    expected = credentials()["Authorization"]

    def made(peer: Peer) -> T:
        if peer.headers.get("Authorization") != expected:
            raise Refuse(401, "This is for services of the mesh.", {"WWW-Authenticate": "Bearer"})
        return make()

    return made


def options(service: str, description: str | None) -> argparse.ArgumentParser:
    """The options that all services have."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.service_mesh.{service}", description=description)
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--spans", type=Path, required=True, help="file to append what was traced to")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds that calls have at SIGTERM")
    return parser


def log_beside(spans: Path) -> None:
    """Write the log to a file beside that of the spans."""
    logging.basicConfig(filename=spans.with_suffix(".log"), level=logging.INFO)


async def run(service: str, make: Callable[[], RpcTarget], told: argparse.Namespace) -> None:
    """Serve other services until a signal, and then until the calls in progress are answered."""
    log_beside(told.spans)
    with traced(service, told.spans) as (telemetry, _):
        async with serve(for_services(make), "127.0.0.1", told.port, interceptors=[telemetry]) as server:
            print("serving", server.url, flush=True)
            await server.run(grace=told.grace)
