"""The conformance programs of both implementations against each other, in all four combinations, and both clients
against the mounts.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from examples.conformance import checks
from examples.conformance.checks.base import CHECKS
from examples.conformance.client import carried_by
from examples.conformance.points import POINTS
from tests.interop.node import FOLDER
from tests.needs import needs_node

ROOT = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds after which a program is taken for hung."""

NODE_SERVER = ["node", str(FOLDER / "conformance_server.mjs"), "0"]
NODE_CLIENT = ["node", str(FOLDER / "conformance_client.mjs")]
OUR_SERVER = [sys.executable, "-m", "examples.conformance.server", "--port", "0"]
OUR_CLIENT = [sys.executable, "-m", "examples.conformance.client"]


@asynccontextmanager
async def serving(command: list[str]) -> AsyncIterator[tuple[Process, int]]:
    """Run a server while the block runs; yield it and its port."""
    server = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    assert server.stdout is not None
    assert server.stderr is not None
    complaints = asyncio.create_task(server.stderr.read())
    try:
        word, port = (await asyncio.wait_for(server.stdout.readline(), PATIENCE)).split()
        assert word == b"listening"
        yield server, int(port)
    finally:
        if server.returncode is None:
            server.terminate()  # not killed: some have processes of their own, which they end
        await asyncio.wait_for(server.wait(), PATIENCE)
        await complaints


async def checked(client: list[str], port: int, scheme: str = "ws") -> tuple[int, list[str]]:
    """Run a client against the server at a port; return its exit code and its lines."""
    process = await asyncio.create_subprocess_exec(
        *client, f"{scheme}://127.0.0.1:{port}/rpc", cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, output.decode().splitlines()


COMBINATIONS = [
    pytest.param(OUR_CLIENT, OUR_SERVER, 300, id="our client, our server"),
    pytest.param(OUR_CLIENT, NODE_SERVER, 300, id="our client, the reference's server", marks=needs_node),
    pytest.param(NODE_CLIENT, OUR_SERVER, 200, id="the reference's client, our server", marks=needs_node),
    pytest.param(NODE_CLIENT, NODE_SERVER, 200, id="the reference's client and server", marks=needs_node),
]


@pytest.mark.parametrize(("client", "server", "at_least"), COMBINATIONS)
async def test_every_check_passes(client: list[str], server: list[str], at_least: int) -> None:
    async with serving(server) as (process, port):
        code, lines = await checked(client, port)
        assert [line for line in lines[:-1] if not line.startswith("ok ")] == []
        passed, _, failed, _ = lines[-1].split()
        assert (failed, code) == ("0", 0)
        assert int(passed) == len(lines) - 1 >= at_least
        assert process.returncode is None, "the server has not survived it"


BATCHES = [*OUR_CLIENT, "--transport", "http"]
NODE_BATCHES = [*NODE_CLIENT, "--batches"]
MOUNTED = [
    pytest.param("asgi", OUR_CLIENT, 300, id="our client, uvicorn"),
    pytest.param("aiohttp", OUR_CLIENT, 300, id="our client, aiohttp"),
    pytest.param("flask", BATCHES, 40, id="our client, gunicorn"),
    pytest.param("asgi", NODE_CLIENT, 200, id="the reference's client, uvicorn", marks=needs_node),
    pytest.param("aiohttp", NODE_CLIENT, 200, id="the reference's client, aiohttp", marks=needs_node),
    pytest.param("flask", NODE_BATCHES, 30, id="the reference's client, gunicorn", marks=needs_node),
]


@pytest.mark.parametrize(("kind", "client", "at_least"), MOUNTED)
async def test_every_check_passes_inside_applications(kind: str, client: list[str], at_least: int) -> None:
    async with serving([*OUR_SERVER, "--transport", kind]) as (process, port):
        code, lines = await checked(client, port, "http")
        assert [line for line in lines[:-1] if not line.startswith("ok ")] == []
        assert code == 0
        assert len(lines) - 1 >= at_least
        assert process.returncode is None, "the server has not survived it"


def test_checks_of_one_transport_are_those_that_it_can_carry() -> None:
    of = {transport: carried_by(transport) for transport in ("websocket", "webtransport", "http")}
    assert of["websocket"] == CHECKS
    assert {check.transport for check in of["http"]} == {"HTTP batch"}
    assert {(check.transport, check.frames) for check in of["webtransport"]} == {("WebSocket", False)}
    about_frames = [check for check in CHECKS if check.frames]
    assert len(CHECKS) == len(of["http"]) + len(of["webtransport"]) + len(about_frames)


async def test_every_check_passes_over_webtransport() -> None:
    async with serving([*OUR_SERVER, "--transport", "webtransport"]) as (_, port):
        client = [*OUR_CLIENT, "--transport", "webtransport", "--insecure"]
        code, lines = await checked(client, port, "https")
        assert [line for line in lines[:-1] if not line.startswith("ok ")] == []
        assert code == 0
        assert len(lines) > 250


async def test_client_without_a_server_fails() -> None:
    code, lines = await checked([*OUR_CLIENT, "--only", "properties are read"], 1)
    assert code == 1
    assert lines[-1] == "0 passed, 2 failed"
    assert all(line.startswith("not ok ") for line in lines[:-1])


def test_checks_have_names_of_their_own() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert checks.__all__


def test_every_point_is_checked() -> None:
    assert {point for check in CHECKS for point in check.points} == set(POINTS)
