"""`capnweb-gen init`: start a project that works, in one command."""

from __future__ import annotations

import re
import subprocess
import sys
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
    "schemas/__init__.py": "package.py.j2",
    "schemas/greeter.py": "schema.py.j2",
    "server.py": "server.py.j2",
    "client.py": "client.py.j2",
}


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Start a project in FOLDER: a schema, a server, a client. Files that are there already are kept."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-") or "greeter"
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    texts = {path: environment.get_template(template).render(name=name) for path, template in _FILES.items()}
    for path in texts:
        if (folder / path).exists():
            terminal.say(f"kept {shown(folder / path)}")
    missing = {path: text for path, text in texts.items() if not (folder / path).exists()}
    terminal.write([output.Change(folder / path, None, text) for path, text in missing.items()])
    if "pyproject.toml" not in missing and "[tool.capnweb-gen]" not in (folder / "pyproject.toml").read_text("utf-8"):
        terminal.say('add to pyproject.toml:\n\n[tool.capnweb-gen]\nschemas = ["schemas"]\nout = "generated"\n')
    _generate(folder)
    terminal.say(f"next: cd {folder} && python server.py, and python client.py in another terminal")


def _generate(folder: Path) -> None:
    """Compile as the user will, in a process that starts in the folder. Ends the program if it fails."""
    command = [sys.executable, "-m", "capnweb_gen.cli", "schemas", "--out", "generated"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    click.echo(done.stderr, nl=False, err=True)
    if done.returncode:
        sys.exit(done.returncode)
