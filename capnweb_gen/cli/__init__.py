"""The command line: `capnweb-gen SCHEMA... --out DIR` writes, `capnweb-gen check SCHEMA... --out DIR` compares.

Rule: one module per command, imported when the command is run. Quiet when all is well. Exit codes: 0 fine · 1 a schema
has faults, generated files are stale, a change breaks something, or a server has not answered · 2 wrong usage.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

_COMMANDS = {
    "breaking": "Fail if a change of the schemas breaks old clients or servers.",
    "call": "Make one call to a server, and print the result.",
    "check": "Fail, and print the diff, if generated files are out of date.",
    "explain": "Explain a message by its code, with examples.",
    "from-typescript": "Write schemas from TypeScript interfaces.",
    "generate": "Write the generated files (the default command).",
    "init": "Start a project: schema, server, client, tests, Dockerfile.",
    "ir": "Print what schemas declare, or what a server serves, as JSON.",
    "lock": "Write a snapshot of the schemas, for `breaking` to compare with.",
    "lsp": "Run the language server, for editors.",
    "repl": "Make calls to a server, one after another, in one session.",
    "scaffold": "Write an implementation to fill in, or add what is missing.",
}
"""What `--help` says of each command. A command is the function of that name in the module of that name here; both have
underscores where it has hyphens.
"""


class _Commands(click.Group):
    """A group in which arguments that name no command are those of `generate`.

    It imports what it runs and nothing else: all that a compiler needs takes half a second.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in _COMMANDS and args[0] not in {"--help", "--version"}):
            _refuse_misspelt(ctx, args)
            args = ["generate", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"{__name__}.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _refuse_misspelt(ctx: click.Context, args: list[str]) -> None:
    """Refuse what is neither a path nor an option of `generate`, and nearly a command or option from here.

    Raises:
        click.UsageError: it says what was meant.
    """
    word = args[0] if args else ""
    if word.startswith("-"):
        if get_close_matches(word, ["--version"], cutoff=0.75):  # and not --json
            raise click.NoSuchOption(word, possibilities=["--version"], ctx=ctx)
    elif "--watch" not in args and not Path(word).exists():  # with --watch, a path may come to exist
        for meant in get_close_matches(word, _COMMANDS, 1):
            raise click.UsageError(f"no such command, file or folder: {word}; did you mean {meant}?", ctx)


_HELP = """Compile interfaces declared in Python into typed stubs and server skeletons for Cap'n Web.

\b
To begin:
  capnweb-gen init hello                  start a project that works
\b
Every day:
  capnweb-gen schemas --out generated     compile every schema in a folder
  capnweb-gen check                       in CI: fail if generated files are out of date

SCHEMA is a Python file, a folder of them, or a .json file with IR (what `capnweb-gen ir` prints). Without SCHEMA,
commands read [tool.capnweb-gen] in pyproject.toml: schemas = ["schemas"], out = "generated".

Compiling a schema imports it, and so runs its code: compile only schemas whose code you would run. IR is only read.
"""


@click.group(cls=_Commands, help=_HELP)  # \b, alone on a line, keeps click from filling the lines that follow
@click.version_option(package_name="capnweb-gen")
def main() -> None:
    """The command `capnweb-gen`."""


__all__ = ["main"]
