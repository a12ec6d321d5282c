"""`capnweb-gen ir`: print what schemas say, or a server of itself, as JSON. docs/ir.md describes it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from capnweb_gen.cli import terminal
from capnweb_gen.compiler import read, warnings
from capnweb_gen.errors import in_order
from capnweb_gen.frontends.ir_json import dump

_URL = re.compile(r"(ws|http)s?(\+unix)?://", re.IGNORECASE)


@click.command()
@click.argument("schemas", nargs=-1, required=True, metavar="SCHEMA... | URL")
@click.option("--json", "as_json", is_flag=True, help="Print diagnostics as JSON, for editors and CI.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="A header to send to URL; @FILE names a file with one header a line.",
)
@click.option("--ca", type=click.Path(path_type=Path), help="PEM file of the certificates to trust for URL.")
def ir(schemas: tuple[str, ...], as_json: bool, headers: tuple[str, ...], ca: Path | None) -> None:
    """Print the IR: what schemas declare, as JSON for other programs.

    It imports the schemas, and so runs their code. Given a URL, it asks the server there what it serves.
    """
    urls = [schema for schema in schemas if _URL.match(schema)]
    if urls and len(schemas) > 1:
        raise click.UsageError("name schemas, or one URL and nothing else")
    if urls:
        # Of no use to those who compile, whom a client of the runtime would keep waiting.
        from capnweb_gen.cli.asking import print_description  # noqa: PLC0415

        print_description(urls[0], headers, ca)
        return
    if headers or ca:
        raise click.UsageError("--header and --ca are for URLs")
    paths = [Path(schema) for schema in schemas]
    with terminal.working("reading"):
        found, faults = read(paths)
    terminal.stop_on(in_order(faults), as_json=as_json, schemas=paths)
    terminal.warn(warnings(paths, found), schemas=paths)
    click.echo(dump(found), nl=False)
