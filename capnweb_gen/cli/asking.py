"""What the commands share that ask a server: which one, what is known of it, and how to print what it says.

Rule: what is known comes from schemas, or else from the server itself. Exit codes: 0 there is an answer · 1 there is
none, or it is an error · 2 what was asked cannot be.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl as ssl_module
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypedDict

import click
from rich.text import Text

from capnweb_gen import report
from capnweb_gen.cli import terminal
from capnweb_gen.client.asking import Server, SessionClosed, frames
from capnweb_gen.client.described import Described, main_objects
from capnweb_gen.client.expression import ExpressionError
from capnweb_gen.client.shown import Format, Shown, clean, error_text
from capnweb_gen.compiler import read
from capnweb_gen.errors import in_order
from capnweb_gen.frontends.ir_json import read_document

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([^\r\n\0]*)")
_REFUSALS = frozenset((401, 403, 421, 429, 503))
"""Statuses with which a server refuses a session, too: whatever else is asked would get the same answer."""
_WIDEST = 160
"""Characters of a long line that are shown around what is meant."""


class Asked(TypedDict):
    """The arguments of a command that asks a server; see `asks`."""

    url: str
    headers: tuple[str, ...]
    ca: Path | None
    webtransport: bool
    timeout: float | None
    schemas: tuple[Path, ...]
    interface: str | None
    untyped: bool
    form: Format | None
    trace: bool


_OPTIONS = (
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'",
        help="A header to send with requests; @FILE names a file with one header a line.",
    ),
    click.option(
        "--ca", type=click.Path(path_type=Path), help="PEM file of the certificates to trust, instead of the system's."
    ),
    click.option("--webtransport", is_flag=True, help="Open a session over WebTransport at an https:// URL."),
    click.option("--timeout", type=click.FloatRange(0, min_open=True), help="Seconds to wait for the result."),
    click.option(
        "--schema",
        "schemas",
        multiple=True,
        type=click.Path(path_type=Path),
        help="What the server serves, if it does not say so itself: a schema file, a folder of them, or .json with IR.",
    ),
    click.option("--interface", metavar="NAME", help="Which interface of --schema the server's main object has."),
    click.option("--untyped", is_flag=True, help="Do not ask the server for its types; send arguments unchecked."),
    click.option(
        "--format",
        "form",
        type=click.Choice(["json", "tree"]),
        help="How to print results: by default as a tree on a terminal, otherwise as JSON.",
    ),
    click.option("--trace", is_flag=True, help="Also print every message of the protocol, to standard error."),
)


def asks(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def server_of(
    url: str,
    headers: tuple[str, ...],
    ca: Path | None,
    *,
    webtransport: bool = False,
    timeout: float | None = None,
) -> Server:
    """The server that arguments name. Raises click.UsageError if they cannot be understood."""
    named: dict[str, str] = {}
    for header in _written(headers):
        found = _HEADER.fullmatch(header)
        if found is None:
            raise click.UsageError(
                f"--header needs a name and a value, such as 'Authorization: Bearer ...', not {header!r}"
            )
        named[found[1]] = found[2].rstrip()
    server = Server(url, named, _tls(ca), webtransport, timeout)
    try:
        _ = server.connect()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return server


def _written(headers: tuple[str, ...]) -> Iterator[str]:
    """Headers, those in files among them."""
    for header in headers:
        if not header.startswith("@"):
            yield header
            continue
        try:
            yield from filter(str.strip, Path(header[1:]).read_text("utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"--header {header}: {getattr(error, 'strerror', None) or error}") from error


def _tls(ca: Path | None) -> ssl_module.SSLContext | None:
    if ca is None:
        return None
    try:
        return ssl_module.create_default_context(cafile=ca)
    except OSError as error:  # SSLError is one
        raise click.UsageError(f"--ca {ca}: {error.strerror or error}") from error


def asked_server(asked: Asked) -> Server:
    """The same, from the options of `Asked`."""
    return server_of(
        asked["url"], asked["headers"], asked["ca"], webtransport=asked["webtransport"], timeout=asked["timeout"]
    )


def print_description(url: str, headers: tuple[str, ...], ca: Path | None) -> None:
    """Prints what a server says that it serves, as JSON. Ends the program if it does not say.

    Raises:
        click.UsageError: the arguments cannot be understood.
    """
    server = server_of(url, headers, ca)
    try:
        document = asyncio.run(server.describes_itself())
    except SessionClosed as error:
        terminal.say(clean(str(error)))
        sys.exit(1)
    click.echo(json.dumps(document, indent=2))


async def described_by(asked: Asked, server: Server) -> Described | None:
    """What is said of a server; None if nothing is known of it. Ends the program if that cannot be understood.

    Raises:
        SessionClosed: it would not answer anything else either.
    """
    if asked["schemas"]:
        return described_with(asked["schemas"], asked["interface"])
    if asked["interface"] is not None:
        raise click.UsageError("--interface chooses one of --schema")
    if asked["untyped"]:
        return None
    try:
        document = await server.describes_itself()
    except SessionClosed as error:
        if error.status is None or error.status in _REFUSALS:
            raise
        advice = "give its schema with --schema, or say --untyped"
        terminal.say(f"the server does not say what it serves ({error.status}), so that nothing is checked: {advice}")
        return None
    schemas, main, faults = read_document(document, "what the server says")
    if faults:
        for fault in faults:
            terminal.say(clean(str(fault)))
        sys.exit(1)
    return Described(schemas, main)


def described_with(paths: tuple[Path, ...], interface: str | None) -> Described:
    """What schemas say of a server. Ends the program if they have faults.

    Raises:
        click.UsageError: they do not tell which interface the main object has.
    """
    with terminal.working("reading"):
        schemas, faults = read(paths)
    terminal.stop_on(in_order(faults), as_json=False, schemas=paths)
    main = main_objects(schemas, interface)
    if len(main) == 1:
        return Described(schemas, main)
    names = ", ".join(one.name for one in main or main_objects(schemas, None))
    if not main:
        raise click.UsageError(f"there is no interface {interface}; the main object may have {names}")
    raise click.UsageError(f"the main object may have {names}: say which with --interface")


def shown_as(asked: Asked, described: Described | None) -> Shown:
    """How to print results."""
    form = asked["form"] or ("tree" if sys.stdout.isatty() else "json")
    return Shown(described or Described((), ()), form, sys.stdout.encoding or "utf-8")


class Printer:
    """Writes results to standard output, and all else to standard error."""

    def result(self, text: str) -> None:
        """What was asked for. Ends the program if nobody reads it any more."""
        try:
            click.echo(text)
        except BrokenPipeError:  # not to be taken for the error of that name that a server may send
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left to be flushed
            sys.exit(1)

    def aside(self, text: str) -> None:
        """What else there is to say."""
        terminal.say(text)


@contextmanager
def traced(asked: Asked, server: Server) -> Generator[None]:
    """While this lasts, messages are printed, if that was asked for."""
    with frames(server, terminal.say) if asked["trace"] else nullcontext():
        yield


def say_error(error: Exception, shown: Shown) -> None:
    """Says what came in place of an answer."""
    terminal.show(Text(error_text(error, shown), style="red"))


def say_fault(error: ExpressionError, text: str) -> None:
    """Says why something cannot be asked, and underlines what is meant."""
    before = text[: error.span.start]
    number, start = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    line = text.split("\n")[number - 1]
    end = min(start + error.span.end - error.span.start, len(line))
    cut = max(start - _WIDEST // 2, 0)
    around = "".join(one if one.isprintable() or one == "\t" else "�" for one in line[cut : cut + _WIDEST])
    said = Text.assemble((f"expression:{number}:{start + 1}", "bold"), ": ", (clean(error.message), "bold red"), "\n")
    said.append_text(report.excerpt(around, number, start - cut, end - cut, "bold red"))
    if error.hint:
        said.append_text(Text.assemble(report.INDENT, ("hint:", "bold green"), " ", clean(error.hint)))
    said.rstrip()
    terminal.show(said)
