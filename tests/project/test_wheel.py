"""The wheel holds the two packages and nothing else, and is enough to compile a schema and to serve and call it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

from tests.project.installing import run
from tests.project.sources import PACKAGES, ROOT

pytestmark = pytest.mark.slow

SCHEMA = """
    \"\"\"Arithmetic.\"\"\"

    from typing import Protocol


    class Calculator(Protocol):
        \"\"\"Adds.\"\"\"

        async def add(self, a: int, b: int) -> int: ...
"""

CALL = """
    import asyncio

    from capnweb_runtime import connect, serve
    from generated.arithmetic import CalculatorStub, CalculatorTarget


    class Calculator(CalculatorTarget):
        def add(self, a: int, b: int) -> int:
            return a + b


    async def main() -> None:
        async with serve(lambda peer: Calculator(), "127.0.0.1", 0, path="/rpc") as server:
            for url in (server.url, server.url.replace("ws", "http", 1)):
                async with connect(url, CalculatorStub) as calculator:
                    print(await calculator.add(2, 3))


    asyncio.run(main())
"""

SEE_IMPORTS = """
    import sys

    import capnweb_runtime
    from capnweb_runtime import *  # each part is imported when it is first asked for

    print(capnweb_runtime.__file__)
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_wheel_holds_exactly_the_two_packages(wheel: Path) -> None:
    held = {entry for entry in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in entry}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".j2", ".typed", ".js", ".css", ".html", ".md", ".json"} and path.is_file()
    }
    assert held == wanted
    assert {"capnweb_gen/py.typed", "capnweb_runtime/py.typed"} <= held
    assert any(entry.endswith(".j2") for entry in held)


def test_wheel_carries_the_licence_and_the_command(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel)
    texts = {Path(entry).name: held.read(entry).decode() for entry in held.namelist() if ".dist-info/" in entry}
    assert "MIT License" in texts["LICENSE"]
    assert "capnweb-gen = capnweb_gen.cli:main" in texts["entry_points.txt"]
    assert "unofficial" in texts["METADATA"].lower()


def test_importing_the_runtime_pulls_in_no_compiler_and_no_heavy_dependency(installed: Path, tmp_path: Path) -> None:
    place, names = run(installed / "python", "-c", dedent(SEE_IMPORTS), cwd=tmp_path).splitlines()
    assert Path(place).is_relative_to(installed.parent)
    unwanted = {"aiohttp", "capnweb_gen", "click", "jinja2", "libcst", "pydantic", "rich"}
    assert not unwanted & set(names.split())


def test_installed_command_compiles_a_schema_that_is_then_called_over_a_socket(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "__init__.py").touch()
    (tmp_path / "schemas" / "arithmetic.py").write_text(dedent(SCHEMA).lstrip())
    (tmp_path / "call.py").write_text(dedent(CALL).lstrip())
    run(installed / "capnweb-gen", "schemas", "--out", "generated", cwd=tmp_path)
    assert run(installed / "python", "call.py", cwd=tmp_path).split() == ["5", "5"]
