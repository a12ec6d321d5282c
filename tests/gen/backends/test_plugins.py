"""Back ends from elsewhere: how they are found, and what becomes of their mistakes. The example is one of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capnweb_gen import ir
from capnweb_gen.backends import plugins
from capnweb_gen.cli import main
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN

ROOT = GOLDEN.parents[2]
EXAMPLE = ROOT / "examples" / "graphviz_backend"
API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self, n: int) -> int: ...\n"

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes back ends known as if distributions that declare them were installed."""

    def known(**declared: str) -> None:
        points = EntryPoints(EntryPoint(name, value, plugins.GROUP) for name, value in declared.items())
        monkeypatch.setattr(plugins, "entry_points", lambda **selected: points.select(**selected))

    return known


@pytest.fixture
def example(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the example on sys.path, with the entry point that its pyproject.toml declares."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    install(graphviz="capnweb_graphviz:generate")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def make(project: Write, name: str) -> Path:
    return project({f"{name}/__init__.py": "", f"{name}/api.py": API})


@pytest.mark.usefixtures("example")
def test_a_back_end_by_name_writes_compares_and_removes(project: Write) -> None:
    root = make(project, "p1")
    assert run("p1", "--out", "reference", "--backend", "graphviz").stderr == "wrote reference/api.dot\n"
    first, *_ = (root / "reference/api.dot").read_text().splitlines()
    assert "run: capnweb-gen p1 --out reference --backend graphviz" in first
    assert run("check", "p1", "--out", "reference", "--backend", "graphviz").output == ""
    (root / "p1/more.py").write_text(API)
    result = run("check", "p1", "--out", "reference", "--backend", "graphviz")
    assert (result.exit_code, "+++ b/reference/more.dot" in result.stdout) == (1, True)
    run("p1", "--out", "reference", "--backend", "graphviz")
    (root / "p1/more.py").unlink()
    assert run("p1", "--out", "reference", "--backend", "graphviz").stderr == "removed reference/more.dot\n"


@pytest.mark.usefixtures("example")
def test_the_configuration_may_name_the_back_end(project: Write) -> None:
    configured = '[tool.capnweb-gen]\nschemas = ["p2"]\nout = "reference"\nbackend = "graphviz"\n'
    root = project({"pyproject.toml": configured, "p2/__init__.py": "", "p2/api.py": API})
    assert run().exit_code == 0
    assert '  "p2.api.Api";\n' in (root / "reference/api.dot").read_text()


@pytest.mark.usefixtures("example")
def test_the_example_draws_every_golden_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    backend = plugins.load("graphviz")
    for path in sorted(GOLDEN.glob("*/ir.json")):
        compiled = compile_schemas([path], "x", backend)
        assert compiled.diagnostics == ()
        text = "".join(compiled.files.values())
        for schema in compiled.schemas:
            for interface in schema.interfaces:
                assert f'  "{schema.module}.{interface.name}";\n' in text
                assert all(f'" -> "{base.module}.{base.name}" [style=dashed];\n' in text for base in interface.bases)


@pytest.mark.usefixtures("example")
def test_the_example_follows_what_members_give_and_what_models_in_it_hold(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(
        {
            "p6/__init__.py": "",
            "p6/api.py": API
            + """
class User(Protocol): ...
@dataclass
class Room:
    owner: User
    next: "Room | None"
class Lobby(Api, Protocol):
    @property
    def me(self) -> User: ...
    def rooms(self) -> list[Room]: ...
""",
        }
    )
    text = (root / "p6/api.py").read_text()
    (root / "p6/api.py").write_text("from dataclasses import dataclass\n" + text)
    files = compile_schemas([root / "p6"], "x", plugins.load("graphviz")).files
    arrows = [line.strip() for line in files["api.dot"].splitlines() if "->" in line]
    assert arrows == [
        '"p6.api.Lobby" -> "p6.api.Api" [style=dashed];',
        '"p6.api.Lobby" -> "p6.api.User" [label="me"];',
        '"p6.api.Lobby" -> "p6.api.User" [label="rooms"];',
    ]


def test_the_example_declares_the_entry_point_that_is_tested() -> None:
    text = (EXAMPLE / "pyproject.toml").read_text()
    assert f'[project.entry-points."{plugins.GROUP}"]\ngraphviz = "capnweb_graphviz:generate"\n' in text


def test_an_unknown_back_end_is_wrong_usage(project: Write, install: Install) -> None:
    install(other="x:y")
    make(project, "p3")
    result = run("p3", "--out", "made", "--backend", "nope")
    assert result.exit_code == 2
    assert (
        "there is no back end called 'nope'; there are: json-schema, markdown, openrpc, other, python, typescript"
        in " ".join(result.stderr.split())
    )


def test_a_back_end_that_cannot_be_imported_is_wrong_usage(project: Write, install: Install) -> None:
    install(broken="no_such_module:generate")
    make(project, "p4")
    result = run("p4", "--out", "made", "--backend", "broken")
    assert result.exit_code == 2
    assert "the back end broken (no_such_module:generate) cannot be imported" in " ".join(result.stderr.split())


def bad_path(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    return {"../x.md": plugins.MARK}


def no_mark(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    return {"x.md": "# Mine\n"}


def failing(schemas: tuple[ir.Schema, ...], command: str) -> dict[str, str]:
    raise KeyError("lost")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad_path", "the back end bad made '../x.md', which is outside the output folder"),
        ("no_mark", "the back end bad made x.md without 'Generated by capnweb-gen' in its first line"),
        ("failing", "the back end bad failed: KeyError: 'lost'"),
    ],
)
def test_mistakes_of_a_back_end_are_told_as_its_own_and_nothing_is_written(
    project: Write, install: Install, name: str, message: str
) -> None:
    install(bad=f"{__name__}:{name}")
    root = make(project, f"p5_{name}")
    result = run(f"p5_{name}", "--out", "made", "--backend", "bad")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (root / "made").exists()


def test_the_back_end_for_python_is_always_there() -> None:
    assert plugins.PYTHON in plugins.names()
