"""Web servers in processes of their own, on ports that were free."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.project.sources import ROOT

MOST = str(32 * 1024 * 1024)  # bytes of a message, as Limits has them
TARGET = "tests.runtime.mounts.applications:app"
SETTINGS = "file:tests/runtime/mounts/hypercorn_settings.py"
# The options are those of docs/mounts.md.
ASGI = {
    "uvicorn": ["uvicorn", TARGET, "--port", "{port}", "--ws-max-size", MOST],
    "hypercorn": [
        "hypercorn",
        TARGET,
        "--bind",
        "127.0.0.1:{port}",
        "--config",
        "file:tests/runtime/mounts/hypercorn_settings.py",
    ],
    "granian": ["granian", TARGET, "--interface", "asgi", "--port", "{port}"],
}


@dataclass(frozen=True, slots=True)
class Running:
    """One server.

    Attributes:
        name: what it is.
        process: its process.
        port: where it listens.
        output: what it has written.
        unix: the file at which it listens instead of a port.
    """

    name: str
    process: subprocess.Popen[bytes]
    port: int
    output: Path
    unix: Path | None = None

    def url(self, path: str, scheme: str = "ws") -> str:
        if self.unix is not None:
            return f"{scheme}+unix://{self.unix}:{path}"
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def said(self) -> str:
        return self.output.read_text("utf-8", "replace")

    def wait_to_say(self, text: str) -> None:
        """Waits until it has written something."""
        end = time.monotonic() + 120
        while text not in self.said():
            assert time.monotonic() < end, self.said()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)

    def stop(self) -> None:
        """Tells it to stop, as docker and systemd do."""
        self.process.send_signal(signal.SIGTERM)

    def hostile_origins(self) -> list[str]:
        """Origins of pages that are none of the server's own, some of which look like one."""
        return [
            "null",
            "https://evil.example",
            "HTTP://EVIL.EXAMPLE.",
            f"http://127.0.0.1:{self.port - 1}",
            f"https://127.0.0.1:{self.port}",
            f"http://127.0.0.1.evil.example:{self.port}",
            f"http://127.0.0.1:{self.port}.evil.example",
        ]

    def answers(self) -> bool:
        place = ("127.0.0.1", self.port) if self.unix is None else str(self.unix)
        with socket.socket(socket.AF_INET if self.unix is None else socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(place)
            except OSError:
                return False
        return True


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(
    name: str, arguments: list[str], folder: Path = ROOT, unix: Path | None = None, **environment: str
) -> Iterator[Running]:
    """Starts a server, and ends it.

    Parameters:
        name: what it is.
        arguments: module and options, with the port as `{port}`, or the file as `{unix}`.
        folder: where it is started.
        unix: the file at which it listens, if it is told to listen at one.
        environment: beside what there is.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as kept, (Path(kept) / "output").open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m"),
                *(one.replace("{port}", str(port)).replace("{unix}", str(unix)) for one in arguments),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # some have processes of their own, which end with it
        )
        server = Running(name, process, port, Path(output.name), unix)
        try:
            started = time.monotonic()
            while not server.answers():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
                assert process.poll() is None, server.said()
                assert time.monotonic() < started + 120, server.said()
            yield server
        finally:
            if process.poll() is None:
                server.stop()
            try:
                process.wait(60)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
