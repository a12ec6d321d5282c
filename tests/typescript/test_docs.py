"""docs/typescript.md: programs in both languages are what it says, against servers in both."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from capnweb_gen.cli import main
from tests.interop.node import PATIENCE
from tests.needs import needs_node_typescript
from tests.typescript.node import eslint, prepare, program, tsc

pytestmark = needs_node_typescript

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "typescript.md").read_text("utf-8")
URL = "ws://127.0.0.1:8080/rpc"
SCHEMA, SERVER = re.findall(r"```python\n# \S+\n(.*?)```", TEXT, re.DOTALL)
(TYPESCRIPT_SERVER,) = re.findall(r"```ts\n// server.ts\n(.*?)```", TEXT, re.DOTALL)
SHOWN = re.findall(r'<!-- generated: from "(.*?)" to "(.*?)" -->\n```ts\n(.*?)```', TEXT, re.DOTALL)
PAIRS = re.findall(r"\n### ([^\n]*)\n\n```ts\n(.*?)```\n\n```python\n(.*?)```", TEXT, re.DOTALL)
PRINTS = re.compile(r"(?:print|console\.log)\(.*\);?\s+(?:#|//) (.*)$", re.MULTILINE)


@dataclass
class Project:
    """A folder with the schema, what is generated from it for both languages, and both servers."""

    folder: Path
    programs: Path


def client_in_typescript() -> str:
    """All examples in TypeScript, each in a function."""
    begin = 'using api = connect<Front>(process.argv[2] ?? "");'
    open_first = 'await api.signIn("secret").owner;'  # what is ended before it has begun is an error to npm
    parts = [
        'import { type RpcStub } from "capnweb";',
        'import { WebSocket } from "ws";',
        'import { connect, isNotFound, type Front } from "./api/notes.js";',
        "Object.assign(globalThis, { WebSocket }); // Node's own would reuse the connection of a batch before",
    ]
    for index, (_, snippet, _) in enumerate(PAIRS):
        body = textwrap.indent(
            placed(snippet, "process.argv[2]!"), "    "
        )  # in a block, which may have an api of its own
        parts.append(f"async function example{index}(api: RpcStub<Front>) {{\n  void api;\n  {{\n{body}  }}\n}}")
    for index in range(len(PAIRS)):
        parts.append(f"{{\n  {begin}\n  {open_first}\n  await example{index}(api);\n}}")
    return "\n\n".join(parts) + "\n"


def client_in_python() -> str:
    """All examples in Python, each in a function."""
    begin = (
        "import asyncio\nimport sys\nfrom collections.abc import AsyncIterator\n\nfrom capnweb_runtime import connect"
    )
    parts = [f"{begin}\nfrom generated.notes import FrontStub\nfrom schemas.notes import NotFound"]
    parts += [
        f"async def example{index}(api):\n{textwrap.indent(placed(snippet, 'sys.argv[1]'), '    ')}"
        for index, (_, _, snippet) in enumerate(PAIRS)
    ]
    calls = "".join(
        f"    async with connect(sys.argv[1], FrontStub) as api:\n        await example{index}(api)\n"
        for index in range(len(PAIRS))
    )
    return "\n\n\n".join([*parts, f"async def main():\n{calls}", "asyncio.run(main())\n"])


def placed(snippet: str, place: str) -> str:
    """An example with the place where the test's server is, which programs are given as an argument."""
    http = f'{place}.replace("ws:", "http:")'
    return snippet.replace(f'"{URL}"', place).replace(f'"{URL.replace("ws:", "http:")}"', http)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    files = {
        "schemas/__init__.py": "",
        "schemas/notes.py": SCHEMA,
        "server.py": SERVER,
        "client.py": client_in_python(),
    }
    server = TYPESCRIPT_SERVER.replace(
        'http.listen(8080, "127.0.0.1");',
        'http.listen(0, "127.0.0.1", () => console.log((http.address() as { port: number }).port));',
    )
    assert server != TYPESCRIPT_SERVER
    prepare(folder, {**files, "server.ts": server, "client.ts": client_in_typescript()}, noEmit=False, outDir="out")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for backend, out in (("python", "generated"), ("typescript", "api")):
            with pytest.raises(SystemExit) as ended:
                main(["schemas", "--out", out, "--backend", backend])
            assert ended.value.code in {0, None}
    assert tsc(folder) == ""
    assert eslint(prepare(folder / "linted", {"server.ts": server, "client.ts": client_in_typescript()})) == ""
    return Project(folder, folder / "out")


@asynccontextmanager
async def python(project: Project, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=project.folder, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def served(project: Project, language: str) -> AsyncIterator[str]:
    if language == "TypeScript":
        async with program(project.programs, "server.js") as running:
            yield f"ws://127.0.0.1:{await running.line()}/"
    else:
        start = (
            "import asyncio, server\n"
            "serve = server.serve\n"
            "server.serve = lambda factory, host, port, **more: serve(factory, host, 0, **more)\n"
            "asyncio.run(server.main())\n"
        )
        async with python(project, "-c", start) as process:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            yield line.decode().split()[1]


@pytest.mark.parametrize("server", ["Python", "TypeScript"])
async def test_examples_in_typescript_print_what_they_say(project: Project, server: str) -> None:
    async with served(project, server) as url, program(project.programs, "client.js", url) as client:
        printed = await client.rest()
    assert printed == PRINTS.findall("\n".join(snippet for _, snippet, _ in PAIRS))


@pytest.mark.parametrize("server", ["Python", "TypeScript"])
async def test_examples_in_python_print_what_they_say(project: Project, server: str) -> None:
    async with served(project, server) as url, python(project, "client.py", url) as client:
        output, _ = await asyncio.wait_for(client.communicate(), PATIENCE)
    assert output.decode().splitlines() == PRINTS.findall("\n".join(snippet for _, _, snippet in PAIRS))


def test_each_concept_is_shown_in_both_languages() -> None:
    assert len(PAIRS) == TEXT.count("\n### ") - 1  # of security there is no program
    assert PRINTS.findall(PAIRS[0][1]) == PRINTS.findall(PAIRS[0][2]) == ["Ada"]


def test_the_file_that_is_shown_is_the_one_that_is_made(project: Project) -> None:
    made = (project.folder / "api" / "notes.ts").read_text("utf-8")
    assert SHOWN
    for first, last, shown in SHOWN:
        begin, end = made.index(first), made.index(last)
        assert shown == made[begin:end].rstrip() + "\n"
