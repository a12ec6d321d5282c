"""docs/: what they say of the compiler is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from click import Context
from pydantic import TypeAdapter

from capnweb_gen import ir
from capnweb_gen.cli import main
from capnweb_gen.cli.job import Settings
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.values import FORBIDDEN_KEYS
from tests.gen.update_gallery import GALLERY, ROOT, UPDATE, excerpt, gallery
from tests.runtime.codec_ends import decode, encode

IR = (ROOT / "docs/ir.md").read_text("utf-8")
TYPES = (ROOT / "docs/types.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text("utf-8")


def test_the_gallery_is_up_to_date() -> None:
    if GALLERY.read_text("utf-8") != gallery():
        pytest.fail(f"docs/gallery.md is out of date; run: {UPDATE}", pytrace=False)


def test_an_excerpt_shows_members_as_they_stand() -> None:
    text = "class A:\n    x = 1\n\n    @property\n    def y(self): ...\n\n\ndef f(): ...\n"
    assert excerpt(text, ("A.y", "f")) == "class A:\n    ...\n    @property\n    def y(self): ...\n\n\ndef f(): ..."


def test_every_kind_of_type_is_described_with_its_keys() -> None:
    rows = {cells[1].strip(" `"): cells[2] for line in IR.splitlines() if len(cells := line.split("|")) == 5}
    union = get_args(get_args(ir.TypeShape)[0])
    assert {shape.model_fields["kind"].default for shape in union} <= rows.keys()
    for shape in union:
        for key in shape.model_fields.keys() - {"kind"}:
            assert f"`{key}`" in rows[shape.model_fields["kind"].default], (shape, key)


@pytest.mark.parametrize(
    "node",
    [
        *(ir.Schema, ir.Interface, ir.Method, ir.Property, ir.Parameter, ir.Model, ir.ModelField, ir.Error),
        *(ir.Callback, ir.Deprecation, ir.Reference, ir.Position),
    ],
)
def test_every_node_is_described_with_its_keys(node: type[ir.Node]) -> None:
    name = {"ModelField": "field"}.get(node.__name__, node.__name__.lower())
    row = next(line for line in IR.splitlines() if line.startswith(f"| {name} |"))
    described = set(re.findall(r"`(\w+)", row))
    assert node.model_fields.keys() <= described


def test_the_format_number_is_the_one_described() -> None:
    assert f"## Format {ir.IR_FORMAT}\n" in IR
    assert TypeAdapter(ir.TypeShape).json_schema()


def test_the_configuration_that_is_shown_is_valid_and_complete() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", CONFIGURATION, re.DOTALL)
    settings = tomllib.loads(shown)["tool"]["capnweb-gen"]
    Settings.model_validate(settings)
    assert settings.keys() == Settings.model_fields.keys()


def test_every_command_is_listed() -> None:
    for command in set(main.list_commands(Context(main))) - {"generate"}:
        assert f"`capnweb-gen {command}" in CONFIGURATION


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https:)([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize("name", ["callbacks.md", "capabilities.md", "server.md", "types.md"])
def test_programs_that_are_shown_print_what_is_said(name: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    text = text[: text.index("```", text.index("```text") + 3) + 3]  # what stands behind has tests of its own
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", text, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    for file, content in (*blocks, ("schemas/__init__.py", "")):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    program = blocks[-1][0]
    assert run(program) == printed
    run("-m", "mypy", "--strict", "--no-error-summary", program)


def test_every_key_that_is_not_sent_is_named() -> None:
    section = TYPES.partition("## Dictionaries")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", section)) >= FORBIDDEN_KEYS


def test_datetimes_that_keep_their_microseconds_are_the_strings_that_are_shown() -> None:
    moment = datetime(2024, 1, 31, 12, 30, 0, 1, UTC)
    for codec, value in ((rpc.EXACT_DATETIME, moment), (rpc.LOCAL_DATETIME, moment.replace(tzinfo=None))):
        assert f'`"{encode(codec, value)}"`' in TYPES


def test_durations_are_exact_as_long_as_is_said() -> None:
    assert "exact to the microsecond up to 272 years" in TYPES
    longest = timedelta(days=272 * 365.2425)
    for microseconds in range(1_000):
        value = longest - timedelta(microseconds=microseconds)
        assert decode(rpc.TIMEDELTA, encode(rpc.TIMEDELTA, value)) == value
