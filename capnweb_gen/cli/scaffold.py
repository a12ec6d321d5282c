"""`capnweb-gen scaffold`: write an implementation to fill in, once; afterwards add to it what the schema has gained."""

from __future__ import annotations

from pathlib import Path

import click
import libcst as cst

from capnweb_gen import graph, ir, output
from capnweb_gen.backends.scaffold.skeleton import Skeleton, skeletons
from capnweb_gen.backends.scaffold.update import create, update
from capnweb_gen.cli import terminal
from capnweb_gen.cli.job import generated_folder
from capnweb_gen.compiler import Compiled, compile_schemas
from capnweb_gen.errors import shown
from capnweb_gen.frontends.python.files import schema_file


@click.command()
@click.argument("schema", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write the implementation to."
)
@click.option(
    "--generated",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the generated modules; by default, `out` in pyproject.toml, or else `generated`.",
)
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
def scaffold(schema: Path, out: Path, generated: Path | None, dry_run: bool) -> None:
    """Write a server's implementation of SCHEMA to fill in, or add what is missing to an existing one.

    It imports the schema, and so runs its code. Code that you have written is never changed. Only a method whose body
    is still `raise NotImplementedError` gets its new signature when the schema changes.
    """
    with terminal.working("reading"):
        compiled = compile_schemas([schema], "capnweb-gen")
    terminal.stop_on(compiled.diagnostics, as_json=False, schemas=[schema])
    made, origin = _skeletons(schema, compiled, generated or generated_folder())
    try:
        before = out.read_bytes().decode() if out.exists() else None
        updated = create(made, origin) if before is None else update(before, made)
    except (UnicodeDecodeError, cst.ParserSyntaxError) as error:
        raise click.ClickException(f"{shown(out)} is not Python, and was left alone: {error}") from error
    for note in updated.notes:
        terminal.say(f"note: {note}")
    if updated.text == before:
        return
    changes = [output.Change(out, before, updated.text)]
    if dry_run:
        terminal.print_diff(changes)
    else:
        terminal.write(changes)


def _skeletons(argument: Path, compiled: Compiled, generated: Path) -> tuple[list[Skeleton], str]:
    """What there is to implement of the schemas that an argument names, not of those that they import."""
    peers = graph.by_module(compiled.schemas)
    package = schema_file(generated.absolute() / "x.py", generated.absolute(), given=True).module.rpartition(".")[0]
    found = [schema for schema in compiled.schemas if _is_named(schema, argument)]
    made = [item for schema in found for item in skeletons(schema, peers, compiled.files, package)]
    if not made:
        raise click.ClickException(f"{shown(argument)} declares no interface, so that there is nothing to implement")
    return made, " and ".join(schema.path for schema in found)


def _is_named(schema: ir.Schema, argument: Path) -> bool:
    return argument.is_dir() or argument.suffix == ".json" or schema.path == shown(argument)
