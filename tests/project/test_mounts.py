"""The applications of docs/mounts.md do what the text says, under the servers and with the commands that it shows."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from capnweb_runtime import ConnectionRefused, connect, serve
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.mounts.mount import MountOptions
from capnweb_runtime.mounts.socket_session import HIGH_WATER
from capnweb_runtime.objects.any_stub import AnyStub
from tests.project.sources import ROOT
from tests.runtime.mounts.servers import running

TEXT = (ROOT / "docs" / "mounts.md").read_text("utf-8")
PROGRAMS = dict(re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
SHOWN = re.findall(r"^\$ (.*)$", TEXT, re.MULTILINE)
COMMANDS = {shlex.split(line)[0]: shlex.split(line.replace("8000", "{port}")) for line in SHOWN}
COMMANDS["aiohttp"] = ["with_aiohttp", "{port}"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mounts")
    for file, content in {**PROGRAMS, "schemas/__init__.py": ""}.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(content, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "capnweb_gen.cli", "schemas", "--out", "generated"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


def test_the_programs_are_well_typed(project: Path) -> None:
    names = [name for name in PROGRAMS if name.startswith("with_")]
    assert len(names) == 5
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *names]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", COMMANDS)
async def test_each_serves_as_it_is_shown(name: str, project: Path) -> None:
    path = "/rpc" if name in {"aiohttp", "gunicorn"} else "/rpc/"
    schemes = ("http",) if name == "gunicorn" else ("ws", "http")
    with running(name, COMMANDS[name], folder=project, PYTHONPATH=str(ROOT)) as server:
        async with asyncio.timeout(30):
            for number, scheme in enumerate(schemes, 1):
                async with connect(server.url(path, scheme), AnyStub, headers={"X-User": "Ada"}) as notes:
                    assert await notes.call("add", "x") == number
                with pytest.raises(ConnectionRefused, match=r"Whose notes\?") as refused:
                    async with connect(server.url(path, scheme), AnyStub) as notes:
                        await notes.call("add", "x")
                assert refused.value.status == 401
            if name == "uvicorn":
                for number, scheme in enumerate(schemes, 2):  # Ada's have one of each kind already
                    headers = {"Cookie": "session=71a8"}
                    async with connect(server.url("/own", scheme), AnyStub, headers=headers) as notes:
                        assert await notes.call("add", "x") == number + 1


def test_the_options_have_the_names_and_defaults_of_serve() -> None:
    parameters = inspect.signature(serve).parameters
    assert MountOptions.__annotations__.keys() <= parameters.keys()
    left_out = parameters.keys() - MountOptions.__annotations__.keys()
    about_sockets = {"host", "port", "sock", "unix", "reuse_port", "forwarded", "ssl", "inspector"}
    assert left_out == {"main_factory", "transports", "keepalive", "close_timeout", *about_sockets}


def test_the_figures_are_those_of_the_code() -> None:
    assert str(DEFAULT_LIMITS.message_size) in TEXT
    assert DEFAULT_LIMITS.message_size == 32 * 1024 * 1024
    assert HIGH_WATER == 64 * 1024
    assert "at most 64 KiB wait in the mount" in " ".join(TEXT.split())
