"""docs/: what they say of the compiler is so."""

from __future__ import annotations

import linecache
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from click import Context
from pydantic import TypeAdapter

from capnweb_gen import ir
from capnweb_gen.backends.plugins import BUILT_IN, load
from capnweb_gen.cli import main
from capnweb_gen.cli.job import Settings
from capnweb_gen.compiler import compile_schemas
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.objects.stale import SETTING, tell
from capnweb_runtime.values import FORBIDDEN_KEYS
from tests.gen.conftest import Write
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
    flat, several = (
        tomllib.loads(shown)["tool"]["capnweb-gen"]
        for shown in re.findall(r"```toml\n(.*?)```", CONFIGURATION, re.DOTALL)
    )
    assert {**flat, "output": None}.keys() == Settings.model_fields.keys() | load("python").options.keys()
    load("python").checked(Settings.model_validate(flat).model_extra or {})
    named = {one.backend: one for one in Settings.model_validate(several).output or ()}
    assert named.keys() == BUILT_IN.keys()
    for name in there():
        load(name).checked(named[name].model_extra or {})


def there() -> list[str]:
    """The built-in back ends whose folder is there."""
    return [name for name, value in BUILT_IN.items() if find_spec(value.partition(":")[0])]


def test_every_option_of_a_back_end_is_described_with_its_default() -> None:
    rows = {cells[1].strip(" `"): cells for line in CONFIGURATION.splitlines() if len(cells := line.split("|")) == 5}
    for name in there():
        for option in load(name).options.values():
            _, _, said, given, _ = rows[option.name]
            default = str(option.default).lower() if option.is_switch else f'"{option.default}"'
            assert f"of `{name}`: `{default}` if left out" in said
            assert f"`--{option.name}" in given or f"`--option {option.name}=" in given


def test_every_command_is_listed() -> None:
    for command in set(main.list_commands(Context(main))) - {"generate"}:
        assert f"`capnweb-gen {command}" in CONFIGURATION


def test_every_warning_is_described(project: Write) -> None:
    api = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"
    root = project({"pyproject.toml": "", "d1/api.py": api, "d1/__init__.py": "", "d1/blank.py": ""})
    project({"d2/__init__.py": "", "lib/d3/__init__.py": "", "lib/d3/schemas/other.py": api})
    compiled = compile_schemas([root / "d1", root / "d2", root / "lib/d3/schemas"], "x")
    section = CONFIGURATION.partition("Warnings do not change the exit code.")[2].partition("Output of schemas")[0]
    described = [line.split("|")[1].strip().replace("`", "") for line in section.splitlines() if line.startswith("| ")]
    given = [warning.message for warning in compiled.warnings]
    assert len(given) == len(described[1:]) == 3
    for words in described[1:]:
        assert any(message.startswith(words) for message in given), words


def test_what_stale_code_says_is_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("generated.library")
    command = (
        "# Generated by capnweb-gen from schemas/library.py. Do not edit; run: capnweb-gen schemas --out generated"
    )
    vars(module)["difference"] = lambda: tell("Book", ["title"], ["name"], fatal=True)
    monkeypatch.setitem(linecache.cache, "<library>", (0, None, [f"{command}\n"], "<library>"))
    with pytest.raises(ImportError) as caught:
        exec(compile("difference()", "<library>", "exec"), vars(module))
    assert f"```text\n{caught.value}\n```" in CONFIGURATION
    assert f"`{SETTING}=ignore`" in CONFIGURATION


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https:)([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize(
    "name", ["callbacks.md", "capabilities.md", "connections.md", "server.md", "sturdy.md", "types.md"]
)
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
