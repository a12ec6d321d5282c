"""A page in Chromium talks to our server over each transport, with the npm package and the transport that
docs/webtransport.md shows; from an origin that is not allowed it is refused on each.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from capnweb_runtime import CallbackStub, Peer, serve
from capnweb_runtime.serving.development_certificate import make_certificate
from capnweb_runtime.serving.peer import Transport
from examples.conformance.generated.conformance import PeerApiStub
from examples.conformance.target import Main
from tests.browser.chromium import outcome_of
from tests.needs import needs_chromium, needs_node

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
JAVASCRIPT: Final = "text/javascript"

GOT: Final = {
    "add": 3,
    "pipelined": 7,
    "callback": {"result": 70},
    "stream": [4, 3, 2, 1],
    "text": 400_000,
}
BATCHED: Final = ("add", "pipelined", "text")  # a batch has no calls back, and no streams to the client


def shown_module() -> str:
    """The module that the document shows."""
    text = (ROOT / "docs/webtransport.md").read_text()
    [module] = [block for block in re.findall(r"```js\n(.*?)```", text, re.DOTALL) if "export class" in block]
    return str(module)


def files() -> dict[str, tuple[str, str]]:
    package = ROOT / "tests/interop/node_modules/capnweb/dist/index.js"
    return {
        "/": ((HERE / "page.html").read_text(), "text/html"),
        "/page.mjs": ((HERE / "page.mjs").read_text(), JAVASCRIPT),
        "/webtransport.mjs": (shown_module(), JAVASCRIPT),
        "/capnweb.js": (package.read_text(), JAVASCRIPT),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(transport: Transport, origin: str, folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Serves the conformance interface to pages of an origin, and gives what a page has to know."""

    def main(peer: Peer) -> Main:
        return Main(peer.main(PeerApiStub))

    made = make_certificate(folder)
    ssl = made.certificate if transport == "webtransport" else None
    async with serve(
        main, "127.0.0.1", 0, ssl=ssl, transports=[transport], origins=[origin], close_timeout=0.5
    ) as server:
        url = server.url if transport == "websocket" else server.http_url
        yield {"transport": transport, "url": url, "hash": made.base64}


@needs_chromium
@needs_node
@pytest.mark.parametrize("transport", get_args(Transport))
async def test_a_page_calls_pipelined_is_called_back_and_reads_streams(transport: Transport, tmp_path: Path) -> None:
    port = free_port()
    steps = BATCHED if transport == "http" else tuple(GOT)
    async with serving(transport, f"http://localhost:{port}", tmp_path) as plan:
        outcome = await outcome_of(files(), {**plan, "steps": steps}, port)
    assert outcome == {"got": {step: GOT[step] for step in steps}}


@needs_chromium
@needs_node
async def test_a_call_of_a_page_is_answered_while_the_server_is_drained(tmp_path: Path) -> None:
    draining: list[asyncio.Task[None]] = []

    class Drained(Main):
        async def call_function(self, fn: CallbackStub[[Any], Any], i: Any) -> dict[str, Any]:
            draining.append(asyncio.create_task(server.drain()))
            return await super().call_function(fn, i)

    port, made = free_port(), make_certificate(tmp_path)
    async with serve(
        lambda peer: Drained(peer.main(PeerApiStub)),
        "127.0.0.1",
        0,
        ssl=made.certificate,
        transports=["webtransport"],
        origins=[f"http://localhost:{port}"],
    ) as server:
        plan = {"transport": "webtransport", "url": server.http_url, "hash": made.base64, "steps": ["draining"]}
        outcome = await outcome_of(files(), plan, port)
        await asyncio.gather(*draining)
    assert outcome == {"got": {"draining": {"result": 70, "code": 1012}}}


@needs_chromium
@needs_node
@pytest.mark.parametrize("transport", get_args(Transport))
async def test_a_page_of_another_origin_is_refused(
    transport: Transport, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    caplog.set_level(logging.INFO, "capnweb_runtime.server")
    async with serving(transport, f"http://localhost:{port + 1}", tmp_path) as plan:
        outcome = await outcome_of(files(), {**plan, "steps": ["add"]}, port)
    assert list(outcome) == ["failed"]
    refused = [record.getMessage() for record in caplog.records if record.getMessage().startswith("refused ")]
    assert [f"403 Origin http://localhost:{port} may not" in line for line in refused] == [True]
