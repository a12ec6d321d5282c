"""How two workers make sure of each other. Rule: the secret never travels; each side proves that it knows it for this
meeting alone, with a random text of the other's in what is proven.

What is proven names both workers, the address at which they met, and the side that proves: a proof is of no use at
another worker, at another time, or from the other side. The one who connects proves first, so that who is none of ours
gets nothing to work on.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final, Literal

SHORTEST: Final = 16
"""Bytes of a secret: shorter ones can be tried out."""
_VERSION: Final = "capnweb cluster 1"


def secret_of(given: str | bytes | None) -> bytes | None:
    """The secret that a cluster was given.

    Raises:
        ValueError: it is too short.
    """
    secret = given.encode() if isinstance(given, str) else given
    if secret is not None and len(secret) < SHORTEST:
        raise ValueError(
            f"a secret of {len(secret)} bytes can be guessed: make one of {SHORTEST} or more, as with "
            "`python -c 'import secrets; print(secrets.token_hex(32))'`, and give the same to all workers"
        )
    return secret


def new_nonce() -> str:
    """A random text that was never used before."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Meeting:
    """What one meeting of two workers is, and no other.

    Attributes:
        url: where they meet.
        caller: id of the worker that has connected.
        host: id of the worker that it has connected to.
        asked: random text of the caller's.
        answered: random text of the host's.
    """

    url: str
    caller: str
    host: str
    asked: str
    answered: str

    def proof(self, secret: bytes | None, side: Literal["caller", "host"]) -> str:
        """What only those can say who know the secret.

        Parameters:
            secret: the secret; None where certificates say who is who.
            side: who says it.
        """
        text = f"{_VERSION}\n{side}\n{self.url}\n{self.caller}\n{self.host}\n{self.asked}\n{self.answered}"
        return hmac.new(secret or b"", text.encode(), hashlib.sha256).hexdigest()

    def is_proven(self, secret: bytes | None, side: Literal["caller", "host"], proof: object) -> bool:
        """Whether the other side has said it."""
        return isinstance(proof, str) and hmac.compare_digest(
            self.proof(secret, side).encode(), proof.encode("utf-8", "surrogatepass")
        )
