"""Why a command cannot do what it is asked for. Rule: one line that a person understands, and no traceback."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable


class Failed(Exception):
    """Ends a command.

    Parameters:
        why: what was wrong, and what to do.
        code: the exit code of the program; None if something else has said why already.
    """

    def __init__(self, why: str | None, code: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.code = code


def reason(error: OSError) -> str:
    """What the system says of a file, without the number that it has for it."""
    return error.strerror or str(error)


def place(hosts: Iterable[str], port: int) -> str:
    """Addresses and a port as people write them."""
    return " and ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts)


def cannot_listen(error: OSError, where: str) -> Failed:
    """What to say where listening fails.

    Parameters:
        error: how.
        where: as a person was asked for it.
    """
    if isinstance(error, socket.gaierror):
        return Failed(f"cannot listen at {where}: no such name or address; choose another one with --host")
    if error.filename is not None:
        return Failed(f"cannot listen at {error.filename}: {reason(error)}")
    if error.errno == errno.EADDRINUSE:
        return Failed(f"cannot listen at {where}: another program does already; choose another port with --port")
    # asyncio of Python 3.13 says so in words only.
    if error.errno == errno.EADDRNOTAVAIL or "could not bind on any address" in str(error):
        return Failed(f"cannot listen at {where}: this machine does not have the address; choose another with --host")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Failed(f"cannot listen at {where}: that takes privileges which this program does not have")
    text = os.strerror(error.errno) if error.errno else str(error)
    return Failed(f"cannot listen at {where}: {text}")
