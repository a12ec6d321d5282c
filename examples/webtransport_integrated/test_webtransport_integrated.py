"""The board, and the best way to it, do what their README claims."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from capnweb_runtime import ConnectionLost, ConnectionRefused, SessionClosed, connect, serve
from capnweb_runtime.serving.development_certificate import DevelopmentCertificate, make_certificate
from examples.form.testing import as_documented
from examples.webtransport_integrated.best import Best
from examples.webtransport_integrated.client import post_and_hear, trusting
from examples.webtransport_integrated.firewall import firewall
from examples.webtransport_integrated.generated.webtransport_integrated import BoardStub
from examples.webtransport_integrated.server import Board, Messages

Transports = Iterable[Literal["websocket", "http", "webtransport"]]
ALL: Transports = ("websocket", "http", "webtransport")


class Clock:
    """A clock that a test puts forward."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def certificate(tmp_path: Path) -> DevelopmentCertificate:
    """A certificate in the folder of the test."""
    return make_certificate(tmp_path)


@asynccontextmanager
async def served(
    certificate: DevelopmentCertificate, transports: Transports = ALL
) -> AsyncGenerator[tuple[int, Messages]]:
    """The board, over some transports: its port, and what is on it."""
    messages = Messages()
    async with serve(
        lambda peer: Board(messages, peer), "127.0.0.1", 0, ssl=certificate.certificate, transports=transports
    ) as server:
        yield server.port, messages


def best_of(
    port: int, folder: Path, path: str = "", clock: Callable[[], float] | None = None, patience: float = 10.0
) -> Best[BoardStub]:
    """The best way to a port of this machine."""
    place = f"localhost:{port}/{path}"
    return Best(
        place,
        BoardStub,
        lambda board: board.transport(),
        trust=trusting(folder),
        patience=patience,
        clock=clock or Clock(),
    )


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("webtransport_integrated")
    assert ran.number("datagrams that were swallowed meanwhile, and waited for") == 0
    assert ran.claims["ways that were tried the next time"] == "['websocket']"
    assert ran.claims["a certificate of another authority"] == "SessionClosed"


async def test_all_transports_lead_to_the_same_board_on_the_same_port(
    certificate: DevelopmentCertificate, tmp_path: Path
) -> None:
    trust = trusting(tmp_path)
    async with served(certificate) as (port, messages):
        place = f"localhost:{port}/"
        async with connect(f"wss://{place}", BoardStub, ssl=trust) as by_websocket:
            heard: list[str] = []
            await by_websocket.watch(heard.append)
            async with connect(f"https://{place}", BoardStub, ssl=trust, transport="webtransport") as board:
                assert await board.post("one") == 1
            async with connect(f"https://{place}", BoardStub, ssl=trust) as batch:
                assert await batch.post("two") == 2
            assert await by_websocket.posts(1) == ["two"]
        assert heard == messages.texts == ["one", "two"]


async def test_the_best_way_that_works_is_taken_and_what_does_not_is_left_out_for_a_while(
    certificate: DevelopmentCertificate, tmp_path: Path
) -> None:
    clock = Clock()
    async with served(certificate, ["websocket", "http"]) as (port, _), firewall(port) as wall:
        best = best_of(wall.port, tmp_path, clock=clock, patience=0.05)
        for at, tried in ((0.0, 2), (299.0, 1), (300.0, 2), (301.0, 1)):
            clock.now = at
            async with best.session() as (way, board):
                assert (way, await board.transport()) == ("websocket", "websocket")
            assert len(best.tried) == tried


async def test_without_callbacks_a_message_is_heard_of_in_the_round_trip_that_puts_it_up(
    certificate: DevelopmentCertificate, tmp_path: Path
) -> None:
    heard: list[str] = []
    async with served(certificate, ["http"]) as (port, _):
        assert await post_and_hear(best_of(port, tmp_path), "hello", heard.append) == "http"
    assert heard == ["hello"]


async def test_no_other_way_is_tried_round_a_certificate_or_a_refusal(
    certificate: DevelopmentCertificate, tmp_path: Path
) -> None:
    make_certificate(tmp_path / "other")
    async with served(certificate) as (port, _):
        distrustful, lost = best_of(port, tmp_path / "other"), best_of(port, tmp_path, "elsewhere")
        with pytest.raises(SessionClosed, match="issuer certificate"):
            await distrustful.session().__aenter__()
        with pytest.raises(ConnectionRefused) as refused:
            await lost.session().__aenter__()
    assert refused.value.status == 404
    assert distrustful.tried == lost.tried == ["webtransport"]


async def test_where_nobody_is_no_way_is_thought_to_be_blocked(
    certificate: DevelopmentCertificate, tmp_path: Path
) -> None:
    async with served(certificate, ["websocket"]) as (port, _):
        best = best_of(port, tmp_path)
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            await best.session().__aenter__()
        assert best.tried == ["webtransport", "websocket", "http"]
