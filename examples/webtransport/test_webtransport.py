"""The observatory does what its README claims."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from capnweb_runtime import ConnectionLost, ConnectionRefused, SessionClosed, serve
from capnweb_runtime.serving.development_certificate import make_certificate
from capnweb_runtime.testing import PairFixture
from examples.form.testing import as_documented
from examples.webtransport.client import observatory, pieces, trusting
from examples.webtransport.generated.webtransport import ObservatoryStub
from examples.webtransport.schemas.webtransport import Reading
from examples.webtransport.server import CHUNK, Observatory, observatory_for


@pytest_asyncio.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """Where the observatory is, with a certificate in the folder of the test."""
    made = make_certificate(tmp_path)
    async with serve(
        observatory_for, "127.0.0.1", 0, path="/sky", ssl=made.certificate, transports=["webtransport"]
    ) as server:
        yield server.http_url


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("webtransport")
    assert ran.number("bytes that were streamed down") == 1024 * 1024
    assert ran.number("readings that were pushed") == 10
    assert ran.claims["a client that trusts another authority"] == "SessionClosed"
    assert ran.claims["nothing answers"] == "ConnectionLost"


async def test_a_session_over_http3_calls_is_called_back_and_streams(url: str, tmp_path: Path) -> None:
    async with observatory(url, trusting(tmp_path)) as sky:
        readings: list[Reading] = []
        assert await sky.watch(readings.append, 3) == 3
        assert [reading.number for reading in readings] == [0, 1, 2]
        assert sum([len(chunk) async for chunk in await sky.picture(CHUNK + 1)]) == CHUNK + 1
        assert await sky.store(pieces(b"x" * (CHUNK + 1))) == hashlib.sha256(b"x" * (CHUNK + 1)).hexdigest()


async def test_who_has_no_token_or_asks_for_another_path_is_told_the_status(url: str, tmp_path: Path) -> None:
    for asked, token, status in ((url, "none", 401), (f"{url}/moon", "none", 404)):
        with pytest.raises(ConnectionRefused) as caught:
            async with observatory(asked, trusting(tmp_path), token):
                pass
        assert caught.value.status == status


async def test_a_certificate_that_is_not_trusted_ends_before_anything_is_sent(url: str, tmp_path: Path) -> None:
    make_certificate(tmp_path / "other")
    with pytest.raises(SessionClosed, match="issuer certificate") as caught:
        async with observatory(url, trusting(tmp_path / "other")):
            pass
    assert not isinstance(caught.value, ConnectionLost)  # trying again would not help


async def test_where_no_udp_comes_through_it_is_said_within_the_time_that_was_given(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silence:
        silence.bind(("127.0.0.1", 0))
        url = f"https://localhost:{silence.getsockname()[1]}/sky"
        with pytest.raises(ConnectionLost, match=r"no answer within 0\.05 s"):
            async with observatory(url, trusting(tmp_path), patience=0.05):
                pass


@pytest.mark.capnweb(no_leaks=True)
async def test_its_streams_leave_nothing(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Session(), ObservatoryStub) as sky:
        assert [len(chunk) async for chunk in await sky.picture(CHUNK + 1)] == [CHUNK, 1]
        assert await sky.store(pieces(b"abc")) == hashlib.sha256(b"abc").hexdigest()


class Session(Observatory):
    """The observatory without a peer, whom only `transport` asks."""

    def __init__(self) -> None:
        pass
