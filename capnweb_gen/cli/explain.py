"""`capnweb-gen explain CW-050`: what a message means, with a wrong and a right example. Rule: it prints a page of the
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
    """Explain messages, with a wrong and a right example of each.

    CODE stands in brackets behind a message: CW-050, or 50. The message itself, in quotes, will do as well.
    """
    if listed:
        for one in pages().values():
            click.echo(f"{one.code}  {one.title}")
        return
    if not asked:
        raise click.UsageError("name a code, such as CW-050; --list prints all codes")
    for number, words in enumerate(asked):
        page = page_of(words)
        if page is None:
            raise click.UsageError(f"there is no page about {words!r}; --list prints all codes")
        if sys.stdout.isatty():
            Console().print(Markdown(page.text))
        else:
            click.echo(page.text if number == 0 else f"\n{page.text}", nl=False)
