"""Every way to carry sessions that is measured beside plain `serve`, and the tables of what was found. Rule: the first
row of each table is what the others are compared with, within the same rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.serving.peer import Transport
from tests.bench.processes import PYTHON

_ASGI = "tests.bench.mounted:asgi"
_MOST = str(DEFAULT_LIMITS.message_size)
PLAIN = "serve"
TLS = "tls"
SERVERS: dict[str, tuple[str, ...]] = {
    PLAIN: (*PYTHON, "tests.bench.server", "{port}"),
    TLS: (*PYTHON, "tests.bench.mounted", "tls", "{port}", "{folder}"),
    "aiohttp": (*PYTHON, "tests.bench.mounted", "aiohttp", "{port}"),
    "uvicorn": (
        *(*PYTHON, "uvicorn", _ASGI, "--port", "{port}", "--loop", "asyncio", "--ws-max-size", _MOST),
        *("--no-access-log", "--log-level", "warning"),
    ),
    "hypercorn": (
        *(*PYTHON, "hypercorn", _ASGI, "--bind", "127.0.0.1:{port}"),
        *("--config", "file:tests/runtime/mounts/hypercorn_settings.py"),
    ),
    "granian": (*PYTHON, "granian", _ASGI, "--interface", "asgi", "--port", "{port}", "--loop", "asyncio"),
    "gunicorn": (*PYTHON, "gunicorn", "tests.bench.mounted:wsgi()", "--bind", "127.0.0.1:{port}", "--threads", "8"),
}
"""Command of each server, "{port}" standing for the port and "{folder}" for that of a certificate."""
SAYS_READY = frozenset((PLAIN, TLS, "aiohttp"))
"""Those of SERVERS that print READY; the others are tried until they accept connections."""
PACKAGES = (
    "aioquic",
    "aiohttp",
    "uvicorn",
    "hypercorn",
    "granian",
    "flask",
    "gunicorn",
    "websockets",
    "wsproto",
    "h11",
)
"""What they are made of."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """One row.

    Attributes:
        server: key in SERVERS.
        transport: what is carried.
        title: its name in the table.
    """

    server: str
    transport: Transport
    title: str

    def url(self, port: int) -> str:
        """Where its server is."""
        scheme = "ws" if self.transport == "websocket" else "http"
        return f"{scheme}{'s' * (self.server == TLS)}://127.0.0.1:{port}/rpc"


_MOUNTS = {
    "uvicorn": "ASGI, uvicorn",
    "hypercorn": "ASGI, hypercorn",
    "granian": "ASGI, granian",
    "aiohttp": "aiohttp",
}
SESSIONS = (
    Carrier(PLAIN, "websocket", "`serve`"),
    Carrier(TLS, "websocket", "`serve`, `wss://`"),
    Carrier(TLS, "webtransport", "`serve`, WebTransport"),
    *(Carrier(server, "websocket", title) for server, title in _MOUNTS.items()),
)
BATCHES = (
    Carrier(PLAIN, "http", "`serve`"),
    Carrier(TLS, "http", "`serve`, `https://`"),
    *(Carrier(server, "http", title) for server, title in _MOUNTS.items()),
    Carrier("gunicorn", "http", "Flask, gunicorn"),
)
SESSION_FIGURES = ("one", "many", "echo", "stream")
BATCH_FIGURES = ("one", "many", "echo")

Known = tuple[float, float | None] | None
"""A median, and how many times that of the first row it is; None where there is no figure."""
Found = dict[str, Any]


def rows(turns: list[Found], carriers: Iterable[Carrier], names: Iterable[str]) -> list[tuple[Carrier, list[Known]]]:
    """The figures of each carrier.

    Parameters:
        turns: what was measured, see `mounts.measure`.
        carriers: the rows, that of plain `serve` first.
        names: the figures.
    """
    first, *others = [(carrier, [median(turns, carrier, name) for name in names]) for carrier in carriers]
    against = first[1]
    return [
        (carrier, [_known(value, reference) for value, reference in zip(values, against, strict=True)])
        for carrier, values in (first, *others)
    ]


def _known(value: float | None, reference: float | None) -> Known:
    return None if value is None else (value, value / reference if reference else None)


def median(turns: list[Found], carrier: Carrier, name: str) -> float | None:
    """The median over rounds of a figure; None if it was never measured."""
    values = [turn[name] for turn in of(turns, carrier) if name in turn]
    return statistics.median(values) if values else None


def failed(turns: list[Found], carriers: Iterable[Carrier]) -> list[str]:
    """What failed, and never succeeded, with the last reason."""
    lines = []
    for carrier in carriers:
        own = of(turns, carrier)
        if own and all("error" in turn for turn in own):
            lines.append(f"{carrier.title}: {own[-1]['error']}")
    return lines


def of(turns: list[Found], carrier: Carrier) -> list[Found]:
    """The turns of a carrier."""
    return [turn for turn in turns if (turn["server"], turn["transport"]) == (carrier.server, carrier.transport)]
