"""`capnweb-gen explain CW-101`: what a message means, with a wrong and a right example. Rule: it prints a page of the
documentation, and knows no more than that.
"""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.markdown import Markdown

from capnweb_gen.explanations import page_of, pages


@click.command()
@click.argument("asked", nargs=-1, metavar="CODE...")
@click.option("--list", "listed", is_flag=True, help="Print all codes with their titles.")
def explain(asked: tuple[str, ...], listed: bool) -> None:
    """Explain messages by their codes, which stand behind them in brackets: CW-101, or 101. A message in quotes does,
    too.
    """
    if listed:
        for one in pages().values():
            click.echo(f"{one.code}  {one.title}")
        return
    if not asked:
        raise click.UsageError("give a code, such as CW-101; --list prints all")
    for number, words in enumerate(asked):
        page = page_of(words)
        if page is None:
            raise click.UsageError(f"there is no page about {words!r}; --list prints all codes")
        if sys.stdout.isatty():
            Console().print(Markdown(page.text))
        else:
            click.echo(page.text if number == 0 else f"\n{page.text}", nl=False)
