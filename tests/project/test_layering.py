"""The layers that pyproject.toml declares hold, and modules stay small enough to be read."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.project.sources import COMPILED, PACKAGES, ROOT, modules, name, parse

# What most programs do without, imported when they are first needed: "<file>: <module>".
IMPORTS_INSIDE_FUNCTIONS = {
    "capnweb_runtime/running/certificate.py: capnweb_runtime.serving.development_certificate",
    "capnweb_runtime/connecting/connect.py: capnweb_runtime.connecting.reconnecting",
    "capnweb_runtime/connecting/connect.py: capnweb_runtime.transports.http_batch",
    "capnweb_runtime/connecting/connect.py: capnweb_runtime.core.carrying",
    "capnweb_runtime/connecting/settings.py: capnweb_runtime.driving.attending",
    "capnweb_runtime/connecting/connect.py: capnweb_runtime.transports.http_client",
    "capnweb_runtime/connecting/settings.py: capnweb_runtime.transports.webtransport.client",
    "capnweb_runtime/core/exchange.py: capnweb_runtime.core.pump",
    "capnweb_runtime/core/handlers.py: capnweb_runtime.core.carrying",
    "capnweb_runtime/driving/asyncio_host.py: capnweb_runtime.driving.deadline",
    "capnweb_runtime/driving/asyncio_host.py: capnweb_runtime.driving.handle",
    "capnweb_runtime/driving/host.py: capnweb_runtime.core.cancelling",
    "capnweb_runtime/transports/http_batch.py: capnweb_runtime.core.carrying",
    "capnweb_runtime/driving/connection.py: capnweb_runtime.debugging.capabilities",
    "capnweb_runtime/driving/connection.py: capnweb_runtime.debugging.names",
    "capnweb_runtime/driving/connection.py: capnweb_runtime.driving.attending",
    "capnweb_runtime/driving/connection.py: capnweb_runtime.driving.calling",
    "capnweb_runtime/driving/connection.py: capnweb_runtime.driving.threads",
    "capnweb_runtime/driving/connection.py: capnweb_runtime.driving.trace",
    "capnweb_runtime/serving/admission.py: capnweb_runtime.driving.threads",
    "capnweb_runtime/serving/admission.py: capnweb_runtime.reflection",
    "capnweb_runtime/serving/options.py: capnweb_runtime.driving.attending",
    "capnweb_runtime/serving/options.py: capnweb_runtime.reflection",
    "capnweb_runtime/serving/serve.py: capnweb_runtime.serving.forwarded",
    "capnweb_runtime/mounts/mount.py: capnweb_runtime.serving.health",
    "capnweb_runtime/serving/server.py: capnweb_runtime.serving.health",
    "capnweb_runtime/objects/models.py: capnweb_runtime.objects.stale",
    "capnweb_runtime/objects/target.py: capnweb_runtime.objects.stale",
    "capnweb_runtime/serving/serve.py: capnweb_runtime.inspector.settings",
    "capnweb_runtime/serving/server.py: capnweb_runtime.inspector.inspecting",
    "capnweb_runtime/serving/server.py: capnweb_runtime.serving.http_server",
    "capnweb_runtime/serving/server.py: capnweb_runtime.serving.socket_file",
    "capnweb_runtime/serving/server.py: capnweb_runtime.serving.webtransport_server",
    "examples/conformance/checks/base.py: examples.conformance.webtransport",
    "examples/conformance/server.py: capnweb_runtime.serving.development_certificate",
}

MEDIAN_MODULE, LARGEST_MODULE = 200, 600
USUAL_FUNCTION, LARGEST_FUNCTION = 35, 60


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body: what a public function says of its parameters is read by others than its code."""
    body = function.body[ast.get_docstring(function, clean=False) is not None :]
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_import_linter_contracts_hold() -> None:
    run = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run(
        [sys.executable, "-c", run, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_import_cycles_even_through_functions() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(error.args[1]))


def test_imports_stand_at_the_top() -> None:
    inside = set()
    for path in modules(*PACKAGES, "generated", "schemas", "examples", "tests"):
        if COMPILED & set(path.parts):
            continue
        for function in functions(parse(path)):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    inside.add(f"{name(path)}: {node.module}")
                elif isinstance(node, ast.Import):
                    inside.update(f"{name(path)}: {alias.name}" for alias in node.names)
    assert inside <= IMPORTS_INSIDE_FUNCTIONS, f"imports inside functions: {sorted(inside - IMPORTS_INSIDE_FUNCTIONS)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_stay_small(package: str) -> None:
    sizes = {name(path): lines_of(path) for path in modules(package)}
    large = {path: size for path, size in sizes.items() if size > LARGEST_MODULE}
    assert not large, f"modules of more than {LARGEST_MODULE} lines: {large}"
    assert statistics.median(sizes.values()) <= MEDIAN_MODULE


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_stay_small(package: str) -> None:
    sizes = {
        f"{name(path)}:{node.lineno} {node.name}": lines_of_code(node)
        for path in modules(package)
        for node in functions(parse(path))
    }
    large = {where: size for where, size in sizes.items() if size > LARGEST_FUNCTION}
    assert not large, f"functions of more than {LARGEST_FUNCTION} lines: {large}"
    longish = [where for where, size in sizes.items() if size > USUAL_FUNCTION]
    assert len(longish) <= len(sizes) / 10, f"too many functions of more than {USUAL_FUNCTION} lines: {longish}"
