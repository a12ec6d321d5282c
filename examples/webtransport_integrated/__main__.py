"""`python -m examples.webtransport_integrated`: one server, three transports, and networks that let fewer through."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from capnweb_runtime import ConnectionLost, ConnectionRefused, SessionClosed, serve
from capnweb_runtime.serving.certificate import Certificate
from capnweb_runtime.serving.development_certificate import make_certificate
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run
from examples.webtransport_integrated.best import Best
from examples.webtransport_integrated.client import post_and_hear, trusting
from examples.webtransport_integrated.firewall import firewall
from examples.webtransport_integrated.generated.webtransport_integrated import BoardStub
from examples.webtransport_integrated.server import Board, Messages

WITHOUT_UDP = 0.2
"""Seconds that a session over UDP has to open where none can; elsewhere it has 10, however busy this machine is."""


class Clock:
    """A clock that is put forward by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def best_of(
    port: int, folder: Path, path: str = "", clock: Clock | None = None, patience: float = 10.0
) -> Best[BoardStub]:
    """The best way to a port of this machine."""
    return Best(
        f"localhost:{port}/{path}",
        BoardStub,
        lambda board: board.transport(),
        trust=trusting(folder),
        patience=patience,
        clock=clock or Clock(),
    )


async def webtransport_integrated(report: Report) -> None:
    """Everything that the README claims."""
    logging.getLogger("quic").setLevel(logging.CRITICAL)  # what aioquic logs of failures is what is shown below
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with started("examples.webtransport_integrated.server", "--port", "0", "--certificates", name) as server:
            await open_network(report, server.port, folder)
            await no_udp(report, server.port, folder)
            await no_way_round(report, server.port, folder)
        await http_alone(report, folder)
        await nobody(report, server.port, folder)


async def open_network(report: Report, port: int, folder: Path) -> None:
    """Everything works, so that the best is taken."""
    report.section("A network that lets everything through")
    best, heard = best_of(port, folder), list[str]()
    report.check("a message is put up by", await post_and_hear(best, "first", heard.append), "webtransport")
    report.check("and heard of by a callback", heard, ["first"])
    async with best.session() as (_, board):
        report.check("by what the server says it has come", await board.transport(), "webtransport")


async def no_udp(report: Report, port: int, folder: Path) -> None:
    """A firewall swallows UDP."""
    report.section("A network without UDP")
    async with firewall(port) as wall:
        clock, heard = Clock(), list[str]()
        best = best_of(wall.port, folder, clock=clock, patience=WITHOUT_UDP)
        report.check("a message is put up by", await post_and_hear(best, "second", heard.append), "websocket")
        report.check("and heard of by a callback", heard, ["second"])
        report.check("ways that were tried", best.tried, ["webtransport", "websocket"])
        report.at_least("datagrams that the firewall has swallowed", wall.swallowed, 1)
        before = wall.swallowed
        await post_and_hear(best, "third", heard.append)
        report.check("ways that were tried the next time", best.tried, ["websocket"])
        report.check("datagrams that were swallowed meanwhile, and waited for", wall.swallowed - before, 0)
        clock.now = 300.0
        await post_and_hear(best, "fourth", heard.append)
        report.check("ways that were tried after 5 minutes", best.tried, ["webtransport", "websocket"])


async def no_way_round(report: Report, port: int, folder: Path) -> None:
    """What no other transport would mend is told at once."""
    report.section("What is not fallen back from")
    make_certificate(folder / "other")
    async with firewall(port) as wall:
        distrustful = best_of(port, folder / "other")
        error = await report.refused("a certificate of another authority", opened(distrustful), SessionClosed)
        report.say(str(error).replace(str(port), "PORT"))
        report.check("ways that were tried", distrustful.tried, ["webtransport"])
        distrustful = best_of(wall.port, folder / "other", patience=WITHOUT_UDP)
        await report.refused("the same without UDP", opened(distrustful), SessionClosed)
        report.check("ways that were tried", distrustful.tried, ["webtransport", "websocket"])
    lost = best_of(port, folder, path="elsewhere")
    refused = await report.refused("a path that is not served", opened(lost), ConnectionRefused)
    report.check("its status, by the first way", (refused.status, lost.tried), (404, ["webtransport"]))


async def http_alone(report: Report, folder: Path) -> None:
    """A server that has batches only, as one of WSGI."""
    report.section("A server that has HTTP alone")
    messages, certificate = Messages(), Certificate(folder / "certificate.pem", folder / "key.pem")
    async with serve(
        lambda peer: Board(messages, peer), "127.0.0.1", 0, ssl=certificate, transports=["http"]
    ) as server:
        best, heard = best_of(server.port, folder), list[str]()
        report.check("a message is put up by", await post_and_hear(best, "fifth", heard.append), "http")
        report.check("ways that were tried", best.tried, ["webtransport", "websocket", "http"])
        report.check("and heard of by asking, in the same round trip", heard, ["fifth"])


async def nobody(report: Report, port: int, folder: Path) -> None:
    """The server is gone: no way works, and none is thought to be blocked."""
    report.section("Nobody there")
    best = best_of(port, folder)
    for _ in range(2):
        await report.refused("a session", opened(best), ConnectionLost)
        report.check("ways that were tried", len(best.tried), 3)


async def opened(best: Best[BoardStub]) -> None:
    """Open a session, and end it."""
    async with best.session():
        pass


if __name__ == "__main__":
    run("webtransport_integrated", webtransport_integrated)
