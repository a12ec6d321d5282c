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
    """The references of one service.

    Parameters:
        codec: signs and verifies tokens.
        revocations: knows which were taken back.
        lifetime: how long a reference can be restored where nothing else is said.
        clock: gives seconds since 1970.
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
        """A new reference.

        Parameters:
            restorer: the kind of what it stands for.
            arguments: with which that is made again. They can be read by whoever has the token.
            principal: the one who can restore it, by a name that stays theirs; None for whoever bears it, which only a
                `BearerRestorer` allows.
            lifetime: how long it can be restored.

        Raises:
            TypeError: the arguments are not of the restorer's type.
            ValueError: there is no principal, the lifetime is not positive, or the token would be too long.
        """
        if not principal and (principal is not None or not isinstance(restorer, BearerRestorer)):
            raise ValueError(f"a reference of the kind {restorer.kind!r} is minted for a principal, by name")
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
        """Makes the object again that a reference stands for, after the reference was verified, its principal compared,
        and its revocation asked for.

        Parameters:
            ref: from a peer.
            restorers: the kinds that are accepted here. References of others are refused.
            principal: who asks, as this connection has been authenticated; None for nobody.

        Returns:
            A new object, which belongs to this call as any result does.

        Raises:
            PermissionError: it is refused, for whatever reason.
            RuntimeError: the reference is good, but the restorer or the revocations failed; its cause says how.
        """
        try:
            claims = await self._claims(ref, principal)
            return await _restored(claims, principal, restorers)
        except Refusal as refusal:
            self._tell(refusal, principal)
        raise PermissionError(REFUSED)  # outside of the handler, so that the reason does not hang on it

    async def revoke(self, ref: SturdyRef[Any], *, principal: str | None) -> None:
        """Takes a reference back, so that it is restored no more. What was restored already lives on.

        For a reference whose token is not at hand, give its id, which the log has, to `Revocations.revoke`.

        Parameters:
            ref: from a peer. One that was revoked already stays so.
            principal: who asks, as for `restore`.

        Raises:
            PermissionError: it could not have been restored in any case: it is forged, expired, or another's.
            RuntimeError: the revocations failed; its cause says how.
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
