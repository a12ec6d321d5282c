"""`python -m capnweb_runtime`: what is of use on the command line. Rule: what goes wrong is one line, no traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

HOSTS = ("localhost", "127.0.0.1", "::1")


def certificate(options: argparse.Namespace) -> int:
    """Makes a certificate for development, and says where it is and by which hash a browser takes it."""
    try:
        # An extra, of use to this alone.
        from capnweb_runtime.serving.development_certificate import make_certificate  # noqa: PLC0415
    except ImportError:
        return _failed("this needs the extra webtransport: pip install capnweb-gen[webtransport]")
    try:
        made = make_certificate(options.folder, tuple(options.hosts or HOSTS))
    except OSError as error:
        return _failed(f"cannot write a certificate: {error}")
    files = {
        str(made.certificate.chain): f"for {', '.join(options.hosts or HOSTS)}, until {made.until:%Y-%m-%d %H:%M} UTC",
        str(made.certificate.key): "its key",
        str(made.authority): f'for programs: ssl.create_default_context(cafile="{made.authority}")',
    }
    width = max(map(len, files))
    for file, what in files.items():
        print(f"{file:{width}}  {what}")
    print(
        f'\nserverCertificateHashes: [{{ algorithm: "sha-256", value: Uint8Array.fromBase64("{made.base64}") }}]',
    )
    return 0


def _failed(why: str) -> int:
    print(f"capnweb_runtime: {why}", file=sys.stderr)
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m capnweb_runtime", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    make = commands.add_parser("certificate", help="make a certificate for WebTransport in development")
    make.add_argument("--folder", type=Path, default=Path("certificates"), help="where to (default: %(default)s)")
    make.add_argument(
        "hosts", nargs="*", metavar="HOST", help="names and addresses of the server (default: this machine)"
    )
    make.set_defaults(run=certificate)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
