"""`capnweb-gen init`: start a project that works, in one command."""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from capnweb_gen import output
from capnweb_gen.cli import terminal
from capnweb_gen.errors import shown

_TEMPLATES = Path(__file__).parent / "templates"
_FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "readme.md.j2",
    "Dockerfile": "dockerfile.j2",
    ".dockerignore": "dockerignore.j2",
    "wheels/README.md": "wheels.md.j2",
    "PACKAGE/__init__.py": "package.py.j2",
    "PACKAGE/py.typed": "py.typed.j2",
    "PACKAGE/schemas/__init__.py": "schemas.py.j2",
    "PACKAGE/schemas/greeter.py": "schema.py.j2",
    "PACKAGE/server.py": "server.py.j2",
    "PACKAGE/client.py": "client.py.j2",
    "tests/test_greeter.py": "test.py.j2",
}
_TAKEN = {"capnweb_gen", "capnweb_runtime", "tests", "wheels", *sys.stdlib_module_names, *keyword.kwlist}


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Start a project in FOLDER: a schema, a server, a client, tests, a Dockerfile.

    FOLDER is the current one by default. Existing files are kept.
    """
    name = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-") or "greeter"
    package = _package(name)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    names = {"name": name, "package": package, "version": version("capnweb-gen")}
    texts = {
        folder / path.replace("PACKAGE", package): environment.get_template(template).render(names)
        for path, template in _FILES.items()
    }
    missing = {path: text for path, text in texts.items() if not path.exists()}
    for path in texts:
        if path not in missing:
            terminal.say(f"kept {shown(path)}")
    terminal.write([output.Change(path, None, text) for path, text in missing.items()])
    settings = folder / "pyproject.toml"
    if settings not in missing and "[tool.capnweb-gen]" not in settings.read_text("utf-8"):
        table = f'[tool.capnweb-gen]\nschemas = ["{package}/schemas"]\nout = "{package}/generated"\n'
        terminal.say(f"pyproject.toml was kept; add to it:\n\n{table}")
    _generate(folder, package)
    there = "" if folder == Path() else f"cd {folder} && "
    terminal.say(
        f"next: {there}python -m {package}.server; then in another terminal: {there}python -m {package}.client"
    )


def _package(name: str) -> str:
    """A project's name as that of a package, which nothing else that is imported has."""
    package = name.replace("-", "_")
    if not package.isidentifier():
        package = f"app_{package}"
    return f"{package}_app" if package in _TAKEN else package


def _generate(folder: Path, package: str) -> None:
    """Compile as the user will, in a process that starts in the folder. Ends the program if it fails."""
    arguments = [f"{package}/schemas", "--out", f"{package}/generated"]
    command = [sys.executable, "-m", "capnweb_gen.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    click.echo(done.stderr, nl=False, err=True)
    if done.returncode:
        sys.exit(done.returncode)
