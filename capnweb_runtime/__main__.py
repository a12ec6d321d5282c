"""`python -m capnweb_runtime`: what is of use on the command line. Rule: what goes wrong is one line, no traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from capnweb_runtime.running import certificate, serve
from capnweb_runtime.running.failures import Failed

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m capnweb_runtime", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve.add(commands)
    certificate.add(commands)
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    options.arguments = given
    try:
        options.run(options)
    except Failed as failed:
        if failed.why is not None:
            print(f"capnweb_runtime: {failed.why}", file=sys.stderr)
        return failed.code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
