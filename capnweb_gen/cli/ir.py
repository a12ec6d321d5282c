"""`capnweb-gen ir`: print what schemas say, as JSON. docs/ir.md describes it."""

from __future__ import annotations

from pathlib import Path

import click

from capnweb_gen.cli import terminal
from capnweb_gen.compiler import read, warnings
from capnweb_gen.errors import in_order
from capnweb_gen.frontends.ir_json import dump


@click.command()
@click.argument("schemas", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print diagnostics as JSON, for editors and CI.")
def ir(schemas: tuple[Path, ...], as_json: bool) -> None:
    """Print what schemas say, as JSON that other programs read.

    That imports the schemas, and so runs their code.
    """
    with terminal.working("reading"):
        found, faults = read(schemas)
    terminal.stop_on(in_order(faults), as_json=as_json, schemas=schemas)
    terminal.warn(warnings(schemas, found), schemas=schemas)
    click.echo(dump(found), nl=False)
