"""A PostgreSQL server for tests, of its own and empty: `async def test_x(postgres: str)` with `@needs_postgres`.

Rule: it listens on a free port of this machine, keeps nothing, and ends with the tests. PostgreSQL refuses to run as
root: there it runs as the user `postgres`, whom its package makes.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

USER = "postgres"
ATTEMPTS = 5
"""How often a port is chosen: somebody else may take it before the server does."""


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL that is installed; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return None if elsewhere is None else Path(elsewhere).resolve().parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database that is empty at first; tests that share it make tables of their own."""
    programs = binaries()
    assert programs is not None, "mark the test with needs_postgres"
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as temporary:
        if os.geteuid() == 0:
            shutil.chown(temporary, USER, USER)
        data = str(Path(temporary, "data"))
        _run(
            programs / "initdb",
            "--pgdata",
            data,
            "--username",
            USER,
            "--auth",
            "trust",
            "--no-sync",
            "--encoding",
            "UTF8",
        )
        port = _started(programs, data, temporary)
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "stop", "--pgdata", data, "--mode", "immediate", "--wait")


def _started(programs: Path, data: str, temporary: str) -> int:
    """Start the server, and wait until it takes connections. Returns its port."""
    log = str(Path(temporary, "log"))
    for attempt in range(ATTEMPTS):
        port = _free_port()
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {temporary}"
        command = ("start", "--pgdata", data, "--log", log, "--wait", "--options", options)
        try:
            _run(programs / "pg_ctl", *command)
        except subprocess.CalledProcessError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return port
    raise AssertionError("there is a last attempt")


def _run(*command: str | Path) -> None:
    """Run a program of PostgreSQL as a user that it accepts. What it prints is shown where it fails."""
    as_user: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryFile("w+") as said:  # no pipe: the server would keep it open
        done = subprocess.run(command, cwd="/", stdout=said, stderr=said, timeout=120, check=False, **as_user)
        if done.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(done.returncode, [*command], said.read())


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port
