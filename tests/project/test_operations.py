"""What docs/operations.md says of telemetry and health is so: its programs print what their comments say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from capnweb_runtime import Pool, connect, serve
from capnweb_runtime.health import Check, Health
from capnweb_runtime.telemetry.logs import _SANE, _VARIABLES
from capnweb_runtime.telemetry.prometheus import Metrics
from tests.project.sources import ROOT
from tests.runtime.transports.example_api import Example, ExampleStub

TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
PROGRAMS = [name for name in FILES if name not in ("schemas/shop.py", "shop.py")]
PRINTS = re.compile(r"  # (.*)")
PATIENCE = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the document, compiled."""
    folder = tmp_path_factory.mktemp("operations")
    for name, text in {**FILES, "schemas/__init__.py": ""}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    run(folder, "-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    return folder


def run(folder: Path, *command: str) -> str:
    """Runs Python in the folder; what it prints. Its collector is down."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
        "MYPYPATH": str(ROOT),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def said_by(program: str) -> list[str]:
    """What the comments of a program say that it prints."""
    comments = [comment for comment in PRINTS.findall(FILES[program]) if not comment.startswith("so that")]
    return [line for comment in comments for line in comment.split(", ")]


@pytest.mark.parametrize("program", ["healthy.py", "mounted.py", "traced.py", "collected.py", "logged.py"])
def test_each_program_prints_what_its_comments_say(folder: Path, program: str) -> None:
    assert run(folder, program).splitlines() == said_by(program) != []


def test_the_metrics_are_those_that_are_shown(folder: Path) -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    assert run(folder, "measured.py") == shown


def test_a_line_of_structlog_is_as_it_is_shown(folder: Path) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)

    def shape(line: str) -> dict[str, str]:
        return {name: re.sub(r"[0-9a-f]", "0", re.sub(r":\d+", ":0", text)) for name, text in json.loads(line).items()}

    printed = run(folder, "structured.py")
    assert shape(printed) == shape(shown)
    assert _VARIABLES.keys() <= json.loads(printed).keys()


def test_every_program_is_tried_and_well_typed(folder: Path) -> None:
    assert [
        *("healthy.py", "mounted.py", "measured.py", "traced.py", "collected.py", "logged.py", "structured.py")
    ] == PROGRAMS
    run(folder, "-m", "mypy", "--strict", "--no-error-summary", *PROGRAMS)


async def test_every_metric_is_listed_and_no_other() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    async with serve(lambda peer: Example(), "127.0.0.1", 0) as server:
        connecting = connect(server.url, ExampleStub)
        async with connecting as example, Pool(server.url, ExampleStub) as pool:
            await example.add(1, 2)
            metrics.watch_server(server)
            metrics.watch_client(connecting)
            metrics.watch_pool(pool)
            have = {family.name for family in registry.collect()}
    section = TEXT.partition("| metric | of | what |")[2].partition("\n\n")[0]
    listed: set[str] = set()
    for names in re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE):
        first, *others = re.findall(r"`(\w+)`", names)
        kind = re.match(r"capnweb_[a-z]+|rpc", first)
        assert kind is not None
        listed |= {first.removesuffix("_total"), *(kind[0] + other.removesuffix("_total") for other in others)}
    assert listed == have


def test_figures_and_paths_are_those_of_the_code() -> None:
    assert (Check("a", print).timeout, Health().max_age) == (2.0, 1.0)
    assert "its `timeout` (2 seconds)" in TEXT
    assert "`max_age` seconds (1)" in TEXT
    paths = re.findall(r"path: (/\w+)", TEXT)
    assert paths == ["/healthz", "/readyz"]
    assert all(f'"{path}"' in FILES["healthy.py"] for path in paths)
    assert "An id with more than 128 characters" in TEXT
    assert _SANE.fullmatch("a_.:/+=@-Z9" + "x" * 117)
    assert not _SANE.fullmatch("x" * 129)
    rows = TEXT.partition("| in a record | what |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", rows, re.MULTILINE)) == _VARIABLES.keys()
