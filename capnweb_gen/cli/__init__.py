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
    "breaking": "Fail if schemas changed in a way that breaks those who have not changed yet.",
    "call": "Ask a server one thing, and print the answer.",
    "check": "Fail, with the diff, if generated files are stale.",
    "explain": "Say at length what a message means, by its code.",
    "from-typescript": "Write schemas that say what TypeScript declares.",
    "generate": "Write the generated files (the default command).",
    "init": "Start a project: schema, server, client, tests, Dockerfile.",
    "ir": "Print what schemas say, or a server of itself, as JSON.",
    "lock": "Write the IR of schemas to a file, to compare with later.",
    "lsp": "Serve an editor: faults as you type, hovers, renaming.",
    "repl": "Ask a server one thing after the other.",
    "scaffold": "Write an implementation to fill in, or add to it.",
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
capnweb-gen SCHEMA... --out DIR         write the generated files
capnweb-gen check SCHEMA... --out DIR   fail, with the diff, if they are stale
capnweb-gen init [DIR]                  start a project that works
capnweb-gen scaffold SCHEMA --out FILE  write an implementation to fill in
capnweb-gen breaking --against REF      fail if a change breaks old or new clients
capnweb-gen lock                        write the IR of now, to compare with later
capnweb-gen lsp                         serve an editor
capnweb-gen from-typescript FILE.ts --out DIR
                                        write schemas of what TypeScript declares
capnweb-gen ir SCHEMA... | URL          print what schemas say, as JSON
capnweb-gen call URL EXPRESSION         ask a server one thing
capnweb-gen repl URL                    ask it one thing after the other

A SCHEMA is a file or a folder of Python modules, or a .json file with IR. Without arguments, writing and checking read
[tool.capnweb-gen] in pyproject.toml: schemas = ["schemas"], out = "generated"; or several outputs.

To compile a schema imports it, and so runs it: compile those alone whose code you would run. IR is only read.
"""


@click.group(cls=_Commands, help=_HELP)  # \b, alone on a line, keeps click from filling the lines that follow
@click.version_option(package_name="capnweb-gen")
def main() -> None:
    """The command `capnweb-gen`."""


__all__ = ["main"]
