"""`python -m examples.webtransport`: the observatory as a process, over HTTP/3 alone, and who does not get to it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import socket
import ssl
import tempfile
from pathlib import Path

from capnweb_runtime import ConnectionLost, ConnectionRefused, GoingAway, SessionClosed
from capnweb_runtime.serving.development_certificate import make_certificate
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.webtransport.client import observatory, pieces, trusting
from examples.webtransport.generated.webtransport import ObservatoryStub
from examples.webtransport.schemas.webtransport import Reading
from examples.webtransport.server import TOKEN

MIB = 1024 * 1024


async def webtransport(report: Report) -> None:
    """Everything that the README claims."""
    logging.getLogger("quic").setLevel(logging.CRITICAL)  # what aioquic logs of failures is what is shown below
    with tempfile.TemporaryDirectory() as folder:
        certificates = Path(folder)
        async with started("examples.webtransport.server", "--port", "0", "--certificates", folder) as server:
            url = server.url
            await certificate(report, server, certificates)
            await strangers(report, url, certificates)
            async with observatory(url, trusting(certificates)) as sky:
                await session(report, sky)
                report.section("The server goes away")
                stopping = asyncio.create_task(server.stop())
                await report.refused("a session without calls is told", ended(sky), GoingAway)
                report.check("the server's exit code", await stopping, 0)
        await nobody(report, certificates)


async def certificate(report: Report, server: Program, folder: Path) -> None:
    """What the certificate is known by."""
    report.section("A certificate for development")
    der = ssl.PEM_cert_to_DER_cert((folder / "certificate.pem").read_text("ascii"))
    seen = f"fingerprint {base64.b64encode(hashlib.sha256(der).digest()).decode()}"
    report.check(
        "its SHA-256, by which browsers accept it, is what the server has printed", await server.line() == seen
    )
    report.check("its key is for its owner alone", f"{(folder / 'key.pem').stat().st_mode & 0o777:o}", "600")
    with socket.socket() as tcp:
        report.check("nobody listens at the TCP port of that number", tcp.connect_ex(("127.0.0.1", server.port)) != 0)


async def strangers(report: Report, url: str, folder: Path) -> None:
    """Who gets no session, and learns why."""
    report.section("Who gets no session")
    trust = trusting(folder)
    error = await report.refused("a client without the token", opened(url, trust, "none"), ConnectionRefused)
    report.check("status", error.status, 401)
    error = await report.refused("another path", opened(f"{url}/moon", trust), ConnectionRefused)
    report.check("status", error.status, 404)
    make_certificate(folder / "other")
    distrust = opened(url, trusting(folder / "other"))
    untrusted = await report.refused("a client that trusts another authority", distrust, SessionClosed)
    report.say(str(untrusted).replace(url, "URL"))


async def opened(url: str, trust: ssl.SSLContext, token: str = TOKEN, patience: float = 10) -> None:
    """Open a session, and end it."""
    async with observatory(url, trust, token, patience):
        pass


async def session(report: Report, sky: ObservatoryStub) -> None:
    """What a session over HTTP/3 can do: all that one over a WebSocket can."""
    report.section("One session")
    report.check("by what it travels, as the server sees it", await sky.transport(), "webtransport")
    sums = await asyncio.gather(*(sky.add(number, number) for number in range(100)))
    report.check("100 calls at once, answered in their order", sums == [2 * number for number in range(100)])
    readings: list[Reading] = []
    report.check("readings that were pushed", await sky.watch(readings.append, 10), 10)
    report.check("the last of them", readings[-1].number, 9)
    report.check("bytes that were streamed down", sum([len(chunk) async for chunk in await sky.picture(MIB)]), MIB)
    picture = bytes(range(256)) * (MIB // 256)
    kept = await sky.store(pieces(picture))
    report.check("bytes that were streamed up, by their SHA-256", kept == hashlib.sha256(picture).hexdigest())
    wrong = await report.refused("watch(0), which the schema does not allow", sky.watch(readings.append, 0), TypeError)
    report.say(str(wrong))


async def ended(sky: ObservatoryStub) -> None:
    """Wait for the end of a session. Raises what it has ended with."""
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    sky.on_broken(end.set_exception)
    await end


async def nobody(report: Report, folder: Path) -> None:
    """What a network looks like that lets no UDP through: nothing answers, whatever is sent."""
    report.section("A network without UDP")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silence:
        silence.bind(("127.0.0.1", 0))
        url = f"https://localhost:{silence.getsockname()[1]}/sky"
        error = await report.refused("nothing answers", opened(url, trusting(folder), patience=0.2), ConnectionLost)
        report.say(str(error).replace(url, "URL"))
    report.say("webtransport_integrated falls back to a WebSocket then")


if __name__ == "__main__":
    run("webtransport", webtransport)
