"""Minting references, restoring what they stand for, and revoking them. Rule: whatever is wrong with a reference, the
caller gets the same error and learns nothing from it; the log of this side has the reason, and never the token.
"""

from __future__ import annotations

import inspect
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, cast, overload

from capnweb_runtime.observe import logger_named, printable
from capnweb_runtime.sturdy.claims import Claims, Refusal
from capnweb_runtime.sturdy.restorer import BearerRestorer, Restorer
from capnweb_runtime.sturdy.revocations import Revocations
from capnweb_runtime.sturdy.tokens import TokenCodec
from capnweb_runtime.values import SturdyRef

InterfaceT = TypeVar("InterfaceT")
ArgumentsT = TypeVar("ArgumentsT")
TargetT = TypeVar("TargetT")

REFUSED: Final = "this reference cannot be restored"
"""The message of the one error for every refusal, a PermissionError."""

logger: Final = logger_named("capnweb_runtime.sturdy")


class SturdyRefs:
    """Makes references to a service's objects that outlive sessions (`SturdyRef`), and makes the objects again from
    them.

    Parameters:
        codec: signs and verifies the tokens of references.
        revocations: keeps which references were taken back before they expired.
        lifetime: how long a reference can be restored, unless `mint` is given another time. Default 30 days.
        clock: function that gives seconds since 1970.
    """

    def __init__(
        self,
        codec: TokenCodec,
        revocations: Revocations,
        *,
        lifetime: timedelta = timedelta(days=30),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._codec = codec
        self._revocations = revocations
        self._lifetime = lifetime
        self._clock = clock

    @overload
    def mint(
        self,
        restorer: BearerRestorer[InterfaceT, ArgumentsT, Any],
        arguments: ArgumentsT,
        *,
        principal: str | None,
        lifetime: timedelta | None = None,
    ) -> SturdyRef[InterfaceT]: ...

    @overload
    def mint(
        self,
        restorer: Restorer[InterfaceT, ArgumentsT, Any],
        arguments: ArgumentsT,
        *,
        principal: str,
        lifetime: timedelta | None = None,
    ) -> SturdyRef[InterfaceT]: ...

    def mint(
        self,
        restorer: Restorer[InterfaceT, ArgumentsT, Any],
        arguments: ArgumentsT,
        *,
        principal: str | None,
        lifetime: timedelta | None = None,
    ) -> SturdyRef[InterfaceT]:
        """Makes a new reference, to be given to a client.

        Parameters:
            restorer: kind of the object that it refers to, and how that is made again.
            arguments: what the restorer will be given. Whoever has the token can read it: no secrets.
            principal: name of the user who can restore the reference, which must never become another user's, such as
                a number in a database. None for whoever has the token, which only a `BearerRestorer` allows.
            lifetime: how long the reference can be restored, a second or longer; None means as the constructor says.

        Returns:
            The reference.

        Raises:
            TypeError: the arguments are not of the restorer's type, or do not come back from JSON unchanged.
            ValueError: there is no principal, the lifetime is too short, the token would be longer than 4096
                characters, or the codec's first key only verifies.
        """
        if not principal and (principal is not None or not isinstance(restorer, BearerRestorer)):
            raise ValueError(
                f"a reference of the kind {restorer.kind!r} is minted for a principal: give principal= a name, or have "
                "a BearerRestorer for references that anybody may use, with principal=None"
            )
        lifetime = self._lifetime if lifetime is None else lifetime
        now = self._clock()
        issued, expires = int(now), int(now + lifetime.total_seconds())
        if expires <= issued:
            raise ValueError(f"a lifetime is a second or longer, not {lifetime}")
        written = restorer.written(arguments)
        claims = Claims(secrets.token_urlsafe(16), restorer.kind, written, principal, issued, expires)
        ref = self._codec.encode(claims)
        until = datetime.fromtimestamp(expires, UTC).isoformat()
        logger.info("minted %s: %s for %s, until %s", claims.id, _shown(claims.kind), _shown(principal), until)
        return ref

    async def restore(
        self, ref: SturdyRef[InterfaceT], *restorers: Restorer[InterfaceT, Any, TargetT], principal: str | None
    ) -> TargetT:
        """Makes the object again to which a reference refers, after checking the token, who asks, and whether the
        reference was revoked.

        Parameters:
            ref: the reference, as a client has sent it.
            restorers: kinds of objects that are accepted here. References of other kinds are refused.
            principal: name of the user who asks, as this session has authenticated it; None for nobody.

        Returns:
            What the restorer gives: a new object, to be returned to the client.

        Raises:
            PermissionError: the reference is refused. The text is always the same; the log has the reason.
            RuntimeError: the reference is good, but the restorer or the revocations failed; `__cause__` says how.
        """
        try:
            claims = await self._claims(ref, principal)
            return await _restored(claims, principal, restorers)
        except Refusal as refusal:
            self._tell(refusal, principal)
        raise PermissionError(REFUSED)  # outside of the handler, so that the reason does not hang on it

    async def revoke(self, ref: SturdyRef[Any], *, principal: str | None) -> None:
        """Takes a reference back: it is never restored again. Objects that were restored before live on.

        For a reference whose token is not at hand, call `Revocations.revoke` with its id, which the log has.

        Parameters:
            ref: the reference, as a client has sent it. It may have been revoked before.
            principal: name of the user who asks, as for `restore`.

        Raises:
            PermissionError: the reference could not be restored anyway: it is forged, has expired, or is another
                user's.
            RuntimeError: the revocations failed; `__cause__` says how.
        """
        try:
            claims = self._verified(ref, principal)
        except Refusal as refusal:
            self._tell(refusal, principal)
        else:
            await _faultless(self._revocations.revoke(claims.id, claims.expires), "revoking")
            logger.info("revoked %s: %s for %s", claims.id, _shown(claims.kind), _shown(principal))
            return
        raise PermissionError(REFUSED)

    def _verified(self, ref: SturdyRef[Any], principal: str | None) -> Claims:
        """What the token says. Raises Refusal unless it is good, and this principal's or the bearer's."""
        claims = self._codec.decode(ref, self._clock())
        if claims.principal is not None and claims.principal != principal:
            raise Refusal("the token is another principal's", claims.id)
        return claims

    async def _claims(self, ref: SturdyRef[Any], principal: str | None) -> Claims:
        claims = self._verified(ref, principal)
        if await _faultless(self._revocations.is_revoked(claims.id), "asking for revocations"):
            raise Refusal("the token was revoked", claims.id)
        return claims

    def _tell(self, refusal: Refusal, principal: str | None) -> None:
        which = f" {refusal.id}" if refusal.id is not None else ""
        logger.info("refused a reference%s of %s: %s", which, _shown(principal), printable(refusal.reason))


async def _restored(
    claims: Claims, principal: str | None, restorers: tuple[Restorer[Any, Any, TargetT], ...]
) -> TargetT:
    restorer = next((one for one in restorers if one.kind == claims.kind), None)
    if restorer is None:
        raise Refusal(f"nothing of the kind {_shown(claims.kind)} is restored here", claims.id)
    if claims.principal is None and not isinstance(restorer, BearerRestorer):
        raise Refusal(f"the kind {_shown(claims.kind)} is restored for a principal alone", claims.id)
    try:
        arguments = restorer.read(claims.arguments)
    except ValueError:  # whose text shows them
        raise Refusal(f"its arguments are none of the kind {_shown(claims.kind)}", claims.id) from None
    try:
        # Of no principal it was made sure that the restorer takes it.
        made = restorer.restore(arguments, cast("str", principal))
        restored = cast("TargetT", await made if inspect.isawaitable(made) else made)
    except Exception as error:
        if isinstance(error, LookupError) or (isinstance(error, PermissionError) and error.errno is None):
            raise Refusal(f"its restorer refused it: {type(error).__name__}: {error}", claims.id) from None
        # Not meant for callers, whatever it is; and they may try again, where a refusal is for good.
        raise RuntimeError(f"restoring a reference of the kind {claims.kind!r} failed") from error
    logger.info("restored %s: %s for %s", claims.id, _shown(claims.kind), _shown(principal))
    return restored


T = TypeVar("T")


async def _faultless(asked: Awaitable[T], doing: str) -> T:
    """What the revocations answer. Their faults are no answers for callers."""
    try:
        return await asked
    except Exception as error:
        raise RuntimeError(f"{doing} failed") from error


def _shown(name: str | None) -> str:
    return "nobody" if name is None else repr(printable(name))
