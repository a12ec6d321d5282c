"""What the services have in common: whom they serve, and that they are traced.

Rule: a service serves whoever has the key of the mesh, which comes with the environment and stands on no command line.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

from capnweb_runtime import Peer, Refuse, RpcTarget, Server, serve
from capnweb_runtime.scale import Backplane
from examples.form.shared import Serving
from examples.service_mesh.traces import traced

KEY = "MESH_KEY"
"""Variable of the environment with what services show to each other."""


def credentials() -> dict[str, str]:
    """The headers that a service shows to another one."""
    return {"Authorization": f"Bearer {os.environ[KEY]}"}


def for_services(make: Callable[[], RpcTarget]) -> Callable[[Peer], RpcTarget]:
    """A factory for `serve` that refuses whoever does not have the key."""
    expected = credentials()["Authorization"]

    def made(peer: Peer) -> RpcTarget:
        if peer.headers.get("Authorization") != expected:
            raise Refuse(401, "This is for services of the mesh.", {"WWW-Authenticate": "Bearer"})
        return make()

    return made


def service(name: str, make: Callable[[Backplane], RpcTarget]) -> Serving:
    """What serves other services."""

    @asynccontextmanager
    async def serving(told: argparse.Namespace, backplane: Backplane) -> AsyncGenerator[Server]:
        async with traced(name, backplane) as (telemetry, _):
            made = for_services(partial(make, backplane))
            async with serve(made, "127.0.0.1", told.port, interceptors=[telemetry]) as server:
                yield server

    return serving
