"""The main object of the conformance interface, as every server makes it: a new one for each session."""

from __future__ import annotations

from capnweb_runtime import Peer
from examples.conformance.generated.conformance import PeerApiStub
from examples.conformance.target import Main


def main_of(peer: Peer) -> Main:
    """The main object of a new session."""
    return Main(peer.main(PeerApiStub))
