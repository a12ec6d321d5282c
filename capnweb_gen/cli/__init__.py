"""The command line: `capnweb-gen SCHEMA... --out DIR` writes, `capnweb-gen check SCHEMA... --out DIR` compares.

Rule: one module per command. Quiet when all is well. Exit codes: 0 fine · 1 a schema has faults, or generated files
are stale · 2 wrong usage.
"""

from __future__ import annotations

import click

from capnweb_gen.cli.check import check
from capnweb_gen.cli.generate import generate
from capnweb_gen.cli.init import init
from capnweb_gen.cli.ir import ir
from capnweb_gen.cli.scaffold import scaffold


class _DefaultGroup(click.Group):
    """A group in which arguments that name no command are those of `generate`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"--help", "--version"}):
            args = ["generate", *args]
        return super().parse_args(ctx, args)


_HELP = """Compile interfaces declared in Python into typed stubs and server skeletons for Cap'n Web.

\b
capnweb-gen SCHEMA... --out DIR         write the generated modules
capnweb-gen check SCHEMA... --out DIR   fail, with the diff, if they are stale
capnweb-gen init [DIR]                  start a project that works
capnweb-gen scaffold SCHEMA --out FILE  write an implementation to fill in
capnweb-gen ir SCHEMA...                print what schemas say, as JSON

A SCHEMA is a file or a folder of Python modules, or a .json file with IR. Without arguments, writing and checking read
[tool.capnweb-gen] in pyproject.toml: schemas = ["schemas"], out = "generated".
"""


@click.group(cls=_DefaultGroup, help=_HELP)  # \b, alone on a line, keeps click from filling the lines that follow
@click.version_option(package_name="capnweb-gen")
def main() -> None:
    """The command `capnweb-gen`."""


for _command in (generate, check, init, scaffold, ir):
    main.add_command(_command)

__all__ = ["main"]
