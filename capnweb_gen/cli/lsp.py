"""`capnweb-gen lsp`: a language server for schemas, which editors start and talk to. docs/editors.md describes it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import click

SECONDS = 10.0
"""How long reading schemas may take, if nothing else is said."""

READER = (sys.executable, "-P", "-m", "capnweb_gen.cli.lsp_reader")  # -P: what the folder has is no module of ours
"""What starts a process that reads schemas."""

GENERATE = (sys.executable, "-P", "-m", "capnweb_gen.cli")
"""What writes generated files."""


@click.command()
@click.option(
    "--stdio", is_flag=True, help="Talk over standard input and output. It always does; editors pass this option."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=SECONDS,
    show_default=True,
    help="Seconds that reading the schemas may take.",
)
def lsp(stdio: bool, timeout: float) -> None:
    """Run the language server: errors as you type, hovers, definitions, renaming.

    Your editor starts it; docs/editors.md says how. It imports the schemas of the open project, in a process of its
    own, and so runs their code.
    """
    if find_spec("pygls") is None:
        raise click.UsageError("lsp needs pygls: pip install 'capnweb-gen[lsp]'")
    from capnweb_gen.language_server.server import serve  # noqa: PLC0415  # needs pygls

    serve(READER, GENERATE, timeout)
