"""What a token says, and why one is refused. Rule: a reason is for the log of this side; it never leaves the process,
and never holds the token or anything that stands in one that is not verified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers alone: pydantic is imported by those who read arguments
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Claims:
    """What the token of a `SturdyRef` says, once its signature, issuer and audience have been verified.

    Attributes:
        id: text that names this token among all, in logs and in `Revocations`.
        kind: name of the `Restorer` that makes the object again.
        arguments: what the restorer needs to know, as plain JSON values; `repr` does not show it.
        principal: name of the user whom the token is for; None if it is for whoever has it.
        issued: when the token was made, in seconds since 1970.
        expires: from when on the token is refused, in seconds since 1970.
    """

    id: str
    kind: str
    arguments: JsonValue = field(repr=False)
    principal: str | None
    issued: int
    expires: int


class Refusal(Exception):
    """A token is refused. `SturdyRefs` puts the one error that callers get in its place.

    Parameters:
        reason: why, for the log.
        id: of the token, once it is verified that it is one of ours.
    """

    def __init__(self, reason: str, id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.id = id
