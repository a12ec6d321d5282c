"""Programs that are measured: started, waited for, and ended. Rule: each is ended by the handle it was started with,
and nothing is waited for without a limit.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PYTHON = (sys.executable, "-m")
NODE = ("node", "--expose-gc")
_TO_START = 30.0
_TO_END = 5.0


class MeasureError(Exception):
    """A program failed; the text says which, and how."""


class Server:
    """A server that is running: `with Server(command) as server:`.

    Parameters:
        command: what to run, "{port}" standing for the port.
        says_ready: whether it prints READY once it accepts connections; else it is tried until it does.

    Attributes:
        port: port on which it listens.
    """

    def __init__(self, command: Sequence[str], *, says_ready: bool = True) -> None:
        self.port = free_port()
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise MeasureError(f"{_shown(self._command)}: {error.strerror}") from None
        try:
            if says_ready:
                self._wait_until_ready()
            else:
                self._wait_until_it_listens()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends it."""
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(_TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _wait_until_ready(self) -> None:
        output = self._process.stdout
        if output is None:
            raise RuntimeError("the server was started without a pipe")
        said = b""
        end = time.monotonic() + _TO_START
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while b"READY" not in said:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise MeasureError(f"{_shown(self._command)}: not ready within {_TO_START:.0f} s")
                read = os.read(output.fileno(), 4096)
                if not read:
                    raise MeasureError(f"{_shown(self._command)}: ended before it was ready")
                said += read

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + _TO_START
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                raise MeasureError(f"{_shown(self._command)}: ended before it was ready")
        raise MeasureError(f"{_shown(self._command)}: not ready within {_TO_START:.0f} s")


def figures(command: Sequence[str], timeout: float) -> dict[str, Any]:
    """What a client prints last, a line of JSON.

    Raises:
        MeasureError: it failed, took too long, or printed none.
    """
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise MeasureError(f"{_shown(command)}: not done within {timeout:.0f} s") from None
    except OSError as error:
        raise MeasureError(f"{_shown(command)}: {error.strerror}") from None
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if ran.returncode or not lines:
        reason = (ran.stderr.strip() or ran.stdout.strip() or f"exit status {ran.returncode}").splitlines()[-1]
        raise MeasureError(f"{_shown(command)}: {reason}")
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """The environment of what is run: that of this process, without what would change how Python runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def allow_many_files() -> None:
    """Lets this process, and those it starts, open as many files as the system lets it; a thousand connections need
    more than some systems' default.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16_384 if hard == resource.RLIM_INFINITY else min(16_384, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _shown(command: Sequence[str]) -> str:
    """A command without folders, which are nobody's business."""
    return " ".join(Path(part).name if part.startswith("/") else part for part in command)
