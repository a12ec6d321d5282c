"""docs/inspector.md: its program is watched at the URL that it prints, and its table is that of the settings."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import os
import re
import sys
from pathlib import Path

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.inspector import Inspector
from capnweb_runtime.inspector.generated.inspection import DoorStub
from examples.demo.server import Accounts, Front
from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "inspector.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


async def url_printed(*command: str) -> tuple[asyncio.subprocess.Process, str]:
    """Starts a program, and gives the URL of the inspector that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while (found := re.search(rb"http://\S+/inspector#\S+", said)) is None:
            line = await process.stdout.readline()
            assert line, said.decode()
            said += line
    return process, found[0].decode()


async def see(url: str) -> list[str]:
    """Interfaces of the main objects that a page sees."""
    page, _, token = url.partition("#")
    async with connect(f"{page.replace('http', 'ws', 1)}/session", DoorStub) as door:
        inspection = door.authenticate(token)
        about = await inspection.about()
        async with connect(about.url, DoorStub):
            return [row.main for row in (await inspection.sessions("", "newest", 0, 20)).rows]


async def ended(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await asyncio.wait_for(process.communicate(), 60)


async def test_the_program_prints_where_it_is_watched(tmp_path: Path) -> None:
    program = tmp_path / "watched.py"
    program.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n" + BLOCKS[0].replace("8080", "0"))
    process, url = await url_printed(str(program))
    try:
        assert await see(url) == ["PublicApi"]
    finally:
        await ended(process)


async def test_the_command_prints_it_too() -> None:
    process, url = await url_printed(
        "-m", "capnweb_runtime", "serve", "examples.demo.app:front", "--port", "0", "--inspector"
    )
    try:
        assert await see(url) == ["PublicApi"]
    finally:
        await ended(process)


async def test_make_inspect_starts_a_server_with_traffic() -> None:
    assert "-m examples.inspected" in MAKEFILE
    process, url = await url_printed("-m", "examples.inspected", "--port", "0", "--clients", "3")
    try:
        assert await see(url) == ["PublicApi"] * 4
    finally:
        await ended(process)


def test_the_other_options_are_as_shown() -> None:
    accounts = Accounts()
    names = {"serve": serve, "Front": Front, "accounts": accounts}
    environment = {"environ": {"INSPECTOR_TOKEN": "x" * 20}}
    for block in BLOCKS[1:]:
        ast.parse(block)
        exec(block.replace("import os\n", ""), {**names, "os": type("os", (), environment)})


def test_the_table_has_every_setting_and_its_default() -> None:
    rows = dict(re.findall(r"^\| (`[a-z_`, ]+) \| ([^|]+) \|", TEXT, re.MULTILINE))
    shown = {name: value for names, value in rows.items() for name in re.findall(r"\w+", names)}
    fields = {field.name: field.default for field in dataclasses.fields(Inspector)}
    assert fields.keys() <= shown.keys()
    for name in ("path", "mode"):
        assert shown[name].strip().strip('`"') == fields[name]
    assert "1,000, 2,000" in shown["calls"]
    assert (fields["calls"], fields["frames"], fields["interval"], fields["wrong_token_delay"]) == (
        1_000,
        2_000,
        0.5,
        1.0,
    )


def test_the_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert len(pictures) == 3
    assert all((ROOT / "docs" / name).stat().st_size < 80_000 for name in pictures)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--workers", "2"), b"--inspector shows what one process does: leave out --workers"),
        (("--host", "0.0.0.0"), b"needs a token of its own"),
    ],
)
async def test_the_command_says_why_it_cannot_be_watched(options: tuple[str, ...], told: bytes) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "capnweb_runtime", "serve", "examples.demo.app:front", "--port", "0", "--inspector"),
        *options,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "CAPNWEB_INSPECTOR_TOKEN"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode != 0
    assert told in said
    assert b"Traceback" not in said
