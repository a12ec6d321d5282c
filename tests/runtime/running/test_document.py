"""docs/scale.md on running several processes, and docs/sturdy.md on what they share: what is shown is so, and runs."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from capnweb_runtime import AnyStub, RateLimited, connect
from capnweb_runtime.running import application, serve
from capnweb_runtime.running.post import START
from capnweb_runtime.running.serve import BACKPLANE
from capnweb_runtime.running.workers import PATIENCE
from capnweb_runtime.serving.server import FIRST_REQUESTS
from tests.needs import needs_redis
from tests.runtime.running.program import ROOT, program
from tests.runtime.running.restarting import ALL, Restarted
from tests.runtime.scale.servers import Server

SECTION = (ROOT / "docs/scale.md").read_text("utf-8").partition("\n## Running it")[2].partition("\n## ")[0]
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8").partition("\n## New code")[2].partition("\n## ")[0]
STURDY = (ROOT / "docs/sturdy.md").read_text("utf-8")


def blocks(kind: str, text: str = SECTION) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def options(command: list[str]) -> argparse.Namespace:
    """What a command line says, from `python` on."""
    assert command[1:4] == ["-m", "capnweb_runtime", "serve"]
    parser = argparse.ArgumentParser()
    serve.add(parser.add_subparsers())
    return parser.parse_args(command[3:])


def unit(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as the documentation of configparser says
    parser.read_string(text)
    return parser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The program that is shown, compiled."""
    for text in blocks("python"):
        name, _, program = text.removeprefix("# ").partition("\n")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(program, "utf-8")
    (tmp_path / "schemas" / "__init__.py").touch()
    run(tmp_path, "-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    return tmp_path


def run(folder: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class TestProgram:
    def test_it_is_typed(self, folder: Path) -> None:
        run(folder, "-m", "mypy", "--strict", "--no-error-summary", "app.py", "limited.py")

    @pytest.mark.parametrize("name", ["board", "moderated"])
    async def test_it_serves(self, folder: Path, name: str) -> None:
        app = (folder / "app.py").read_text("utf-8")
        async with program(folder, f"app:{name}", "--backplane", "memory:", app=app) as running:
            assert re.fullmatch(r"[0-9a-f]+:1", await posted(running.url))

    @needs_redis
    async def test_what_it_is_limited_to_holds_for_all_workers(self, folder: Path, redis_server: Server) -> None:
        (command,) = (line for line in "".join(blocks("sh")).splitlines() if " limited:limited " in line)
        told, *arguments = shlex.split(command)
        given = options(arguments)
        assert (told.partition("=")[0], given.backplane, given.workers) == (BACKPLANE, "env:", 4)
        app = (folder / "app.py").read_text("utf-8")
        there = {BACKPLANE: f"{redis_server.url}?{folder.name}"}
        asked = [*arguments[4:], "--backplane-name", folder.name]
        async with program(folder, *asked, app=app, **there) as running:
            for _ in range(3):
                await posted(running.url)
            with pytest.raises(RateLimited):
                await posted(running.url)

    @needs_redis
    async def test_as_a_unit_it_is_reloaded_and_stopped(self, folder: Path, redis_server: Server) -> None:
        service = unit(blocks("ini")[0])["Service"]
        command = shlex.split(service["ExecStart"])
        given = options(command)
        assert (given.port, given.backplane, given.workers) == (8080, "env:", 4)
        changed = {"0.0.0.0": "127.0.0.1", "8080": "0", "4": "2"}
        arguments = [changed.get(argument, argument) for argument in command[4:]] + ["--backplane-name", folder.name]
        app = (folder / "app.py").read_text("utf-8")
        told = {"CAPNWEB_BACKPLANE": redis_server.url}
        async with program(folder, *arguments, app=app, port=None, **told) as running, Restarted(running) as server:
            first = await posted(running.url)
            assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
            server.hang_up()
            await server.logs(ALL)
            assert await posted(running.url) == first  # it was published already
            assert await server.ends() == 0


async def posted(url: str) -> str:
    """Where an event stands that is published once."""
    async with connect(url, AnyStub) as board:
        position: str = await board.call("post", "one", "hello")
        return position


def test_units_leave_time_to_end() -> None:
    service, sockets = map(unit, blocks("ini"))
    given = options(shlex.split(service["Service"]["ExecStart"]))
    assert service["Service"]["KillMode"] == "mixed"
    assert int(service["Service"]["TimeoutStopSec"]) > given.drain + PATIENCE
    assert sockets["Socket"]["ListenStream"] == f"{given.host[0]}:{given.port}"
    assert f"{PATIENCE:g} seconds after which workers are killed" in SECTION.replace("\n", " ")


def test_the_container_and_the_deployment_ask_for_what_there_is() -> None:
    (container,) = (line for line in blocks("dockerfile")[0].splitlines() if line.startswith("CMD "))
    given = options(json.loads(container.removeprefix("CMD ")))
    deployment: Any = yaml.safe_load(blocks("yaml")[0])
    pod = deployment["spec"]["template"]["spec"]
    (served,) = pod["containers"]
    deployed = options(served["args"])
    assert (deployed.factory, deployed.port, deployed.drain) == (given.factory, given.port, given.drain)
    assert served["ports"] == [{"containerPort": given.port}]
    assert served["readinessProbe"]["httpGet"] == {"path": given.ready, "port": given.port}
    assert served["livenessProbe"]["httpGet"] == {"path": given.alive, "port": given.port}
    _, before = served["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] > int(before) + given.drain + PATIENCE
    named = {variable["name"] for variable in served["env"]}
    assert {"CAPNWEB_BACKPLANE", "CAPNWEB_CLUSTER_SECRET"} <= named
    assert set(re.findall(r"\$\((\w+)\)", " ".join(served["args"]))) <= named


def test_commands_and_options_that_are_shown_are_there() -> None:
    for text in (SECTION, STURDY):
        for line in "".join(blocks("sh", text)).splitlines():
            if "python -m capnweb_runtime" in line:
                options(shlex.split(line[line.index("python") :]))
    for row in re.findall(r"^\| (`--.*?) \|", SECTION, re.MULTILINE):
        for option in re.findall(r"`(--[\w-]+) ([^`]+)`", row):
            options(["python", "-m", "capnweb_runtime", "serve", "a:b", option[0], option[1].replace("N", "1")])


async def test_the_users_that_are_shown_are_served(tmp_path: Path) -> None:
    (users,) = (text for text in blocks("python", STURDY) if text.startswith("# users.py"))
    (tmp_path / "users.py").write_text(users, "utf-8")
    run(tmp_path, "-m", "mypy", "--strict", "--no-error-summary", "users.py")
    async with program(tmp_path, "users:users", "--backplane", "memory:", CHAT_KEY="ab" * 32) as running:
        (await connect(running.url, AnyStub)).dispose()


def test_times_that_are_told_are_those() -> None:
    assert f"waits {application.PATIENCE:g} seconds for the engine" in SECTION
    told = OPERATIONS.replace("\n   ", " ").replace("\n", " ")
    assert f"It waits up to {FIRST_REQUESTS:g} seconds for these" in told
    assert f"A worker may take {START:g} seconds to start" in told
