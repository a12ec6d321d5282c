"""What the services have in common: whom they serve, and that they are traced.

Rule: a service serves whoever has the key of the mesh, which comes with the environment and stands on no command line.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from capnweb_runtime import Peer, Refuse, RpcTarget, Server, serve
from examples.form import shared
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
    parser = shared.options(f"examples.service_mesh.{service}", description)
    parser.add_argument("--spans", type=Path, required=True, help="file to append what was traced to")
    return parser


@asynccontextmanager
async def serving(service: str, make: Callable[[], RpcTarget], told: argparse.Namespace) -> AsyncGenerator[Server]:
    """Serves other services."""
    with traced(service, told.spans) as (telemetry, _):
        async with serve(for_services(make), "127.0.0.1", told.port, interceptors=[telemetry]) as server:
            yield server
