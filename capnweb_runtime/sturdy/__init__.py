"""Sturdy references: objects that a client finds again in another session.

A schema declares methods that give and take `SturdyRef[RoomApi]`; what stands here is for the server that fulfils it.
`SturdyRefs` mints tokens and restores what they stand for, with a `Restorer` for each kind of object, a `TokenCodec`
for the signature, and `Revocations` for what was taken back. See docs/sturdy.md.

A name is imported when it is first asked for: `SturdyRefs` and `TokenCodec` need PyJWT, which the extra `sturdy`
brings; `SturdyRef`, which is all that a client needs, does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capnweb_runtime.sturdy.backplane_revocations import BackplaneRevocations
    from capnweb_runtime.sturdy.claims import Claims
    from capnweb_runtime.sturdy.refs import SturdyRefs
    from capnweb_runtime.sturdy.restorer import BearerRestorer, Restorer
    from capnweb_runtime.sturdy.revocations import MemoryRevocations, Revocations
    from capnweb_runtime.sturdy.sqlite_revocations import SqliteRevocations
    from capnweb_runtime.sturdy.tokens import TokenCodec, TokenKey
    from capnweb_runtime.values import SturdyRef

__all__ = [
    "BackplaneRevocations",
    "BearerRestorer",
    "Claims",
    "MemoryRevocations",
    "Restorer",
    "Revocations",
    "SqliteRevocations",
    "SturdyRef",
    "SturdyRefs",
    "TokenCodec",
    "TokenKey",
]

_HOMES = {
    "BackplaneRevocations": "sturdy.backplane_revocations",
    "BearerRestorer": "sturdy.restorer",
    "Claims": "sturdy.claims",
    "MemoryRevocations": "sturdy.revocations",
    "Restorer": "sturdy.restorer",
    "Revocations": "sturdy.revocations",
    "SqliteRevocations": "sturdy.sqlite_revocations",
    "SturdyRef": "values",
    "SturdyRefs": "sturdy.refs",
    "TokenCodec": "sturdy.tokens",
    "TokenKey": "sturdy.tokens",
}

if not TYPE_CHECKING:  # else they would believe that every name is here

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # Kept, so that this is not called for it again.
        return globals().setdefault(name, getattr(import_module(f"capnweb_runtime.{_HOMES[name]}"), name))

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
