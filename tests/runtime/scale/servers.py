"""Engines for tests: a Redis and a NATS of their own, on free ports, that tests may kill and start again.

Rule: what a server keeps is in a folder of the test's, and every server that was started is ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO

import redis

ATTEMPTS = 5
"""How often a port is chosen: somebody else may take it before the server does."""


def redis_program() -> str | None:
    return shutil.which("redis-server")


def nats_program() -> str | None:
    """The one of the wheel beside this Python, or the system's."""
    beside = Path(sys.executable).with_name("nats-server")
    return str(beside) if beside.exists() else nats_program_of_system()


def nats_program_of_system() -> str | None:
    """The one that the distribution has, which is years older: Debian 12 has 2.9."""
    return shutil.which("nats-server", path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")


class Server(ABC):
    """A server that runs. It keeps its port and its data when it is started again."""

    ready = ""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True)
        self.data = Path(self._folder.name)
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        for _ in range(ATTEMPTS):
            self.port = _free_port()
            if self._started():
                return
        raise AssertionError(f"{type(self).__name__} does not start")

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    def start(self) -> None:
        """Again, after `kill`."""
        assert self._started(), f"{type(self).__name__} does not start again"

    def kill(self) -> None:
        """As the power does: nothing is said to anybody, nothing is written."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """It answers nobody, and connections stay: a network that is parted looks like this."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # it has stopped, and not only been told to

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def lose(self) -> None:
        """Forget what was kept; to be started again."""
        shutil.rmtree(self.data)
        self.data.mkdir()

    def close(self) -> None:
        self._signal(signal.SIGKILL)
        self._folder.cleanup()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def _started(self) -> bool:
        process = subprocess.Popen(
            self.command(), cwd=self.data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if self.ready in line:
                threading.Thread(target=_drain, args=[process.stdout], daemon=True).start()
                self._process = process
                return True
        process.wait(60)
        process.stdout.close()
        return False


class RedisServer(Server):
    """Writes what it is told to a file, every second to the disk.

    Parameters:
        fsync: how often to the disk, as Redis calls it. With `always` whatever was answered survives `kill`; else what
            is answered while the last second goes to the disk does not.
    """

    ready = "Ready to accept connections"

    def __init__(self, fsync: str = "everysec") -> None:
        self._fsync = fsync
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        program = redis_program()
        assert program is not None, "mark the test with needs_redis"
        return [
            *(program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
            *("--appendonly", "yes", "--appendfsync", self._fsync),
        ]


class NatsServer(Server):
    """With JetStream."""

    ready = "Server is ready"

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        program = self.program()
        assert program is not None, "mark the test with needs_nats or needs_nats_of_system"
        return [program, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.data)]

    def program(self) -> str | None:
        return nats_program()


class SystemNatsServer(NatsServer):
    """The same, of the distribution's version."""

    def program(self) -> str | None:
        return nats_program_of_system()


def history_reads(server: Server, patience: float = 1.0) -> int:
    """How often a Redis has read a topic's history since it began."""
    with redis.Redis.from_url(server.url, socket_timeout=patience) as client:
        stats = client.info("commandstats")
    assert isinstance(stats, dict)
    return int(stats.get("cmdstat_xrange", {}).get("calls", 0))


def _drain(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            pass


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port
