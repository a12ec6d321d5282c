"""The demo's server as a program of its own: `python -m capnweb_runtime serve examples.demo.app:front`."""

from __future__ import annotations

from capnweb_runtime import Peer
from examples.demo.server import Accounts, Front

ACCOUNTS = Accounts()
"""What all sessions share."""


def front(peer: Peer) -> Front:
    """What a client gets first; each gets one of its own."""
    return Front(ACCOUNTS)
