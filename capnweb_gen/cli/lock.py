"""`capnweb-gen lock`: write what schemas say now to a file, with which `capnweb-gen breaking` compares later.

Rule: the file is the word on what others have. What it says is not replaced where that would hide that they break.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from capnweb_gen import ir, output, report
from capnweb_gen.backends.python.reflected import unplaced
from capnweb_gen.cli import changes, terminal
from capnweb_gen.cli.breaking import entries_here
from capnweb_gen.cli.job import configured_schemas
from capnweb_gen.cli.past import snapshot
from capnweb_gen.compiler import read
from capnweb_gen.errors import in_order, shown
from capnweb_gen.evolution.allowed import judge
from capnweb_gen.evolution.compare import compare
from capnweb_gen.evolution.effects import Category, Direction

NAME = "capnweb.lock.json"


@click.command()
@click.argument("schemas", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=NAME,
    show_default=True,
    help="File to write; its name has to end in .json.",
)
@click.option("--force", is_flag=True, help="Overwrite a snapshot that the schemas have broken away from.")
def lock(schemas: tuple[Path, ...], out: Path, force: bool) -> None:
    """Write a snapshot of the schemas to commit. `capnweb-gen breaking --against FILE` compares later schemas with it.

    It imports the schemas, and so runs their code. An existing snapshot is left alone if the schemas break it, unless
    --force is given, and so is a file that is no snapshot.
    """
    if out.suffix != ".json":
        raise click.UsageError(
            f"--out {out}: the name has to end in .json, by which `breaking` knows it from a revision"
        )
    paths = configured_schemas(schemas)
    with terminal.working("reading"):
        found, faults = read(paths)
    terminal.stop_on(in_order(faults), as_json=False, schemas=paths)
    text = _text(found)
    try:
        before = out.read_text("utf-8", errors="surrogateescape") if out.exists() else None
    except OSError as error:
        raise click.ClickException(f"{shown(out)} cannot be read: {error.strerror}; nothing was written") from error
    if before == text:
        return
    if before is not None:
        _refuse_loss(out, found, paths, force=force)
    terminal.write([output.Change(out, before, text)])


def _text(schemas: Sequence[ir.Schema]) -> str:
    """The IR without places: it changes when schemas say something else, and not when lines move."""
    written = [unplaced(schema.model_dump(mode="json")) for schema in schemas]
    return json.dumps(written, indent=1, ensure_ascii=False) + "\n"


def _refuse_loss(out: Path, new: tuple[ir.Schema, ...], paths: Sequence[Path], *, force: bool) -> None:
    """End the program if what the file says would be missed."""
    old = snapshot(out)
    terminal.stop_on(old.faults, as_json=False, schemas=paths)
    asked = changes.Asked(Category.STRICT, Direction.BOTH)
    broken = [finding for finding in compare(old.schemas, new) if asked.breaks(finding)]
    judged = judge(broken, entries_here()[0])
    if judged.left and not force:
        changes.print_text(judged, asked, old, report.Sources(paths))
        number = terminal.count(len(judged.left), "breaking change")
        terminal.say(
            f"{number} since {old.name}; nothing was written. add --force once no peer has that version any more"
        )
        sys.exit(1)
