"""What a server knows of its peers."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

import pytest

from capnweb_runtime import Peer, connect, serve
from tests.runtime.transports.example_api import Example, ExampleStub

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"
KINDS = pytest.mark.parametrize("kind", ["url", "http_url"])


class Seen:
    """A factory that keeps the peers it was given."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []

    def __call__(self, peer: Peer) -> Example:
        self.peers.append(peer)
        return Example()


def with_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=CERTIFICATE)
    context.load_cert_chain(CERTIFICATE)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@KINDS
@pytest.mark.parametrize("has_one", [True, False])
async def test_over_tls_the_certificate_and_the_scheme(kind: str, has_one: bool) -> None:
    trust = ssl.create_default_context(cafile=CERTIFICATE)
    if has_one:
        trust.load_cert_chain(CERTIFICATE)
    seen = Seen()
    async with serve(seen, "localhost", 0, ssl=with_certificate()) as server:
        async with connect(getattr(server, kind), ExampleStub, ssl=trust) as api:
            await api.add(1, 2)
        (peer,) = seen.peers
        assert (peer.scheme, peer.host) == ("https", f"localhost:{server.port}")
    subject = None if peer.certificate is None else peer.certificate["subject"]
    assert subject == (((("commonName", "localhost"),),) if has_one else None)
    assert "localhost.pem" not in repr(peer)


@KINDS
async def test_without_tls_neither(kind: str) -> None:
    seen = Seen()
    async with serve(seen, "127.0.0.1", 0, path="/rpc") as server:
        headers = {"Cookie": "session=7"}
        async with connect(f"{getattr(server, kind)}?x=1", ExampleStub, headers=headers) as api:
            await api.add(1, 2)
        (peer,) = seen.peers
        assert (peer.scheme, peer.host) == ("http", f"127.0.0.1:{server.port}")
    assert (peer.certificate, peer.process, dict(peer.cookies)) == (None, None, {"session": "7"})
    assert (peer.path, peer.query, peer.transport) == ("/rpc", "x=1", "websocket" if kind == "url" else "http")


@KINDS
@pytest.mark.parametrize("believed", [False, True])
async def test_at_a_file_the_process(kind: str, believed: bool, tmp_path: Path) -> None:
    seen = Seen()
    proxies = ["unix"] if believed else None
    async with (
        serve(seen, unix=tmp_path / "app.sock", forwarded=proxies) as server,
        connect(getattr(server, kind), ExampleStub) as api,
    ):
        await api.add(1, 2)
    (peer,) = seen.peers
    known = sys.platform == "linux" and not believed  # a proxy's is not its client's
    assert peer.process == ((os.getpid(), os.getuid(), os.getgid()) if known else None)
