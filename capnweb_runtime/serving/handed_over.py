"""Sockets that listen already when a program starts. Rule: what is not meant for this process is left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from typing import Final

_FIRST: Final = 3
"""Number of the first one, behind those of standard input, output and error."""


def systemd_sockets(environment: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """Takes over the listening sockets that systemd has opened for this process (socket activation), for
    `serve(sock=...)`.

    Parameters:
        environment: environment variables that say which sockets there are: LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
            They are removed, so that no process started from here takes the sockets for its own.

    Returns:
        The sockets; none if systemd has opened none for this process, or if they were taken before.
    """
    # https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
    process, count = environment.get("LISTEN_PID", ""), environment.get("LISTEN_FDS", "")
    if process != str(os.getpid()) or not count.isdecimal():
        return []
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environment.pop(name, None)
    numbers = range(_FIRST, _FIRST + int(count))
    for number in numbers:
        os.set_inheritable(number, False)
    return [socket.socket(fileno=number) for number in numbers]
