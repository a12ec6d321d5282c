"""Compiles the schemas of all examples: `python -m examples.form.schemas [NAME ...] [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from click.testing import CliRunner

from capnweb_gen.cli import main as capnweb_gen
from examples.form.headers import ROOT, Header, header, headers


def arguments(example: Header) -> list[str]:
    """What `capnweb-gen` is told for an example; nothing if it has no schemas."""
    if example.schemas is None:
        return []
    schemas = example.schemas.relative_to(ROOT).as_posix()
    return [schemas, "--out", f"examples/{example.name}/generated", *example.options]


def compile_examples(examples: Sequence[Header], *, check: bool) -> list[str]:
    """Compile, or compare with what is there.

    Returns:
        What the compiler said of those that failed.
    """
    failures: list[str] = []
    for example in examples:
        told = arguments(example)
        if told:
            done = CliRunner().invoke(capnweb_gen, ["check", *told] if check else told)
            if done.exit_code:
                failures.append(f"examples/{example.name}:\n{done.output}")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.form.schemas", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which examples (default: all)")
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    options = parser.parse_args()
    wanted = [header(name) for name in options.names] or headers()
    wrong = compile_examples(wanted, check=options.check)
    sys.exit("\n".join(wrong))
