"""What generated modules must be wherever they lie: importable, light to import, and the same on every machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILE = [sys.executable, "-m", "capnweb_gen.cli"]
UMLAUTS = '''
"""Größen: 寸法."""

from typing import Literal, Protocol

from pydantic import BaseModel


class Maß(BaseModel):
    """Ein Maß, in µm."""

    wert: float
    einheit: Literal["µm", "Ω"] = "µm"


class Lager(Protocol):
    """Was da ist – „alles“."""

    async def suche(self, name: str = "größe", *, unter: dict[str, Maß] | None = None) -> list[Maß]: ...
'''


def run(command: list[str], folder: Path, **environment: str) -> str:
    """Run a program in a folder; what it writes. The environment has only what is given beside PATH."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(command, cwd=folder, env={**kept, **environment}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def modules_after(program: str, folder: Path, *path: Path) -> set[str]:
    """The modules that are imported once a program has run."""
    extended = f"import sys; sys.path[:0] = {[str(entry) for entry in path]!r}; "
    text = run(
        [sys.executable, "-c", f"{extended}{program}; import json; print(json.dumps(list(sys.modules)))"], folder
    )
    return set(json.loads(text))


# ---- where modules lie


@pytest.mark.parametrize("package", ["", "src/app", "src/company/app/rpc"])
def test_a_package_is_compiled_where_it_lies_and_imported_where_it_is_installed(tmp_path: Path, package: str) -> None:
    project, site = tmp_path / "project", tmp_path / "site-packages"
    (project / package).mkdir(parents=True)
    (project / "pyproject.toml").touch()
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "schemas", project / package / "schemas", ignore=ignored)
    parts = Path(package).parts[1:]
    for index in range(len(parts)):
        (project / "src" / Path(*parts[: index + 1]) / "__init__.py").touch()
    prefix = f"{package}/" if package else ""
    run([*COMPILE, f"{prefix}schemas", "--out", f"{prefix}generated"], project)
    shutil.copytree(project / package.partition("/")[0], site)
    shutil.rmtree(project)
    name = ".".join((*parts, "generated", "accounts"))
    modules = modules_after(f"import {name} as made; made.PublicApiStub, made.Profile", tmp_path, site)
    assert {name, ".".join((*parts, "schemas", "accounts"))} <= modules


# ---- the same everywhere


def test_output_depends_on_nothing_but_the_schema(tmp_path: Path) -> None:
    environments = (
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0", "TZ": "UTC"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "COLUMNS": "20", "HOME": str(tmp_path)},
        {"PYTHONHASHSEED": "3", "LC_ALL": "POSIX", "PYTHONUTF8": "1", "NO_COLOR": "1", "USER": "somebody"},
    )
    made: list[dict[str, bytes]] = []
    for index, environment in enumerate(environments):
        project = tmp_path / str(index) / "project"
        shutil.copytree(ROOT / "schemas", project / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
        (project / "schemas/lager.py").write_text(UMLAUTS.lstrip(), "utf-8")
        run([*COMPILE, "schemas", "--out", "generated"], project, **environment)
        made.append({path.name: path.read_bytes() for path in (project / "generated").glob("*.py")})
    assert made[0].keys() == {"__init__.py", "accounts.py", "lager.py"}
    assert made[0] == made[1] == made[2]
    assert "Was da ist – „alles“." in made[0]["lager.py"].decode()


def test_compiling_from_another_folder_gives_the_same(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "schemas", project / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "pyproject.toml").write_text('[tool.capnweb-gen]\nschemas = ["schemas"]\nout = "generated"\n')
    (project / "deep/er").mkdir(parents=True)
    texts: list[bytes] = []
    for folder, arguments in ((project, ["schemas", "--out", "generated"]), (project / "deep/er", [])):
        shutil.rmtree(project / "generated", ignore_errors=True)
        run([*COMPILE, *arguments], folder)
        texts.append((project / "generated/accounts.py").read_bytes())
    assert texts[0] == texts[1]


# ---- light to import


def test_importing_a_generated_module_imports_its_schema_and_codegen_api_and_nothing_else() -> None:
    without = modules_after("import capnweb_runtime.codegen_api, pydantic; pydantic.BaseModel", ROOT, ROOT)
    schema = modules_after("import capnweb_runtime.codegen_api, schemas.accounts", ROOT, ROOT)
    found = modules_after("import generated.accounts", ROOT, ROOT)
    assert {name for name in found - without if name.startswith(("capnweb", "generated", "schemas"))} == {
        "generated",
        "generated.accounts",
        "schemas",
        "schemas.accounts",
    }
    assert found - schema == {"generated", "generated.accounts"}


def test_a_program_that_uses_generated_code_does_not_load_the_compiler() -> None:
    found = modules_after("import generated.accounts, capnweb_runtime", ROOT, ROOT)
    heavy = {"capnweb_gen", "libcst", "jinja2", "click", "rich", "mypy", "aiohttp", "aioquic"}
    assert found & heavy == set()


def test_each_method_costs_few_lines(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/__init__.py").touch()
    methods = "".join(f"    async def method_{n}(self, a: int) -> str: ...\n" for n in range(100))
    text = f"from typing import Protocol\n\n\nclass Api(Protocol):\n{methods}"
    sizes: list[int] = []
    for content in (text, "from typing import Protocol\n\n\nclass Api(Protocol): ...\n"):
        (tmp_path / "schemas/api.py").write_text(content)
        run([*COMPILE, "schemas", "--out", "generated"], tmp_path)
        sizes.append(len((tmp_path / "generated/api.py").read_text().splitlines()))
    assert (sizes[0] - sizes[1]) / 100 <= 8
