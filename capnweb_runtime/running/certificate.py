"""`python -m capnweb_runtime certificate`: a certificate for development. Rule: it says where that is, and how
browsers come to take it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from capnweb_runtime.running.failures import Failed

if TYPE_CHECKING:
    from capnweb_runtime.running.options import Commands

HOSTS = ("localhost", "127.0.0.1", "::1")


def add(commands: Commands) -> None:
    """Adds the command to those of the program."""
    make = commands.add_parser("certificate", help="make a certificate for WebTransport in development")
    make.add_argument("--folder", type=Path, default=Path("certificates"), help="where to (default: %(default)s)")
    make.add_argument(
        "hosts", nargs="*", metavar="HOST", help="names and addresses of the server (default: this machine)"
    )
    make.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Makes a certificate for development, and says where it is and by which hash a browser takes it.

    Raises:
        Failed: a file cannot be written, or the extra is not installed.
    """
    try:
        # An extra, of use to this alone.
        from capnweb_runtime.serving.development_certificate import make_certificate  # noqa: PLC0415
    except ImportError:
        raise Failed("this needs the extra webtransport: pip install capnweb-gen[webtransport]") from None
    try:
        made = make_certificate(options.folder, tuple(options.hosts or HOSTS))
    except OSError as error:
        raise Failed(f"cannot write a certificate: {error}") from None
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
