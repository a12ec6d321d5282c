"""Tokens: signed claims as text, and back. Rule: nothing in a token is believed before its signature is verified, with
the key that its `kid` names among ours and with that key's algorithm, whatever the token says of algorithms.

A token is a JWT (RFC 7519) with the type `sturdy+jwt` in its header, so that no other JWT of the same issuer passes for
one, nor one of these for another (RFC 8725, section 3.11). This module alone knows PyJWT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from capnweb_runtime.sturdy.claims import Claims, Refusal
from capnweb_runtime.values import MAX_TOKEN, SturdyRef

try:
    import jwt
except ImportError as missing:
    raise ImportError("TokenCodec needs PyJWT: pip install 'capnweb-gen[sturdy]'") from missing

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Algorithm = Literal["HS256", "EdDSA"]

_ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
_TYPE: Final = "sturdy+jwt"
_FORM: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_SECRET_BYTES: Final = 32
_SKEW: Final = 60
"""Seconds that the clock of another server of the same service may be ahead of this one's."""
_OPTIONS: Final[Any] = {
    "require": ["iss", "aud", "iat", "exp", "jti"],
    "strict_aud": True,  # one audience: a token for several services would be one for each
    # Compared here, by a clock that is given.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_sub": False,  # null stands for whoever bears the token
}


@dataclass(frozen=True)
class TokenKey:
    """A key with which tokens are signed and verified, and the one algorithm that it is used with.

    Parameters:
        id: name of the key, which stands in tokens (`kid`). Never give it to another key.
        secret: for HS256 at least 32 random bytes, as `secrets.token_bytes(32)` makes them; for EdDSA a private key in
            PEM, or a public one where tokens are only verified. `repr` does not show it.
        algorithm: "HS256", or "EdDSA", which needs the package cryptography: `pip install 'pyjwt[crypto]'`.

    Raises:
        TypeError: `secret` is not bytes.
        ValueError: `id` is empty, `algorithm` is another one, or `secret` is no key for it.
        ImportError: the algorithm needs a package that is not installed.
    """

    id: str
    secret: bytes = field(repr=False)
    algorithm: Algorithm = "HS256"

    def __post_init__(self) -> None:
        if not isinstance(self.secret, bytes):
            raise TypeError(f"the secret of key {self.id!r} has to be bytes, not {type(self.secret).__name__}")
        if not self.id:
            raise ValueError("a key needs an id, such as the month since when it has been used")
        if self.algorithm not in _ALGORITHMS:
            raise ValueError(f"tokens are signed by {' or '.join(_ALGORITHMS)}, not by {self.algorithm!r}")
        if self.algorithm == "HS256" and len(self.secret) < _SECRET_BYTES:
            raise ValueError(f"the secret of key {self.id!r} has {len(self.secret)} bytes; use {_SECRET_BYTES} or more")
        self.prepared()  # so that what is not fit is told at once

    def prepared(self) -> Any:
        """Makes the key that PyJWT uses. For `TokenCodec`; raises as the constructor does."""
        try:
            algorithm = jwt.PyJWS().get_algorithm_by_name(self.algorithm)
        except NotImplementedError:
            raise ImportError(f"{self.algorithm} needs cryptography: pip install 'pyjwt[crypto]'") from None
        try:
            return algorithm.prepare_key(self.secret)
        except (ValueError, TypeError, jwt.InvalidKeyError) as error:  # whose text may show a part of it
            what = f"the secret of key {self.id!r} is no key for {self.algorithm}"
            raise ValueError(f"{what} ({type(error).__name__})") from None


class TokenCodec:
    """Makes signed tokens of claims, and reads them.

    To change keys, put the new key in front, and keep the old one behind it until all tokens that it has signed have
    expired; tokens whose key is missing are refused.

    Parameters:
        keys: the keys. The first one signs, all of them verify.
        issuer: name of who makes the tokens: the service, such as `https://chat.example`.
        audience: name of who restores them: a part of the service, or an environment, such as "chat-production". Tokens
            for another audience are refused, even if they are signed with the same keys.

    Raises:
        ValueError: there is no key, two keys have the same id, or `issuer` or `audience` is empty.
    """

    def __init__(self, keys: Iterable[TokenKey], *, issuer: str, audience: str) -> None:
        given = tuple(keys)
        if not given:
            raise ValueError("a TokenCodec needs a key: keys=[TokenKey(...)]")
        if not issuer or not audience:
            raise ValueError("a TokenCodec needs an issuer and an audience")
        self._keys = {key.id: (key.algorithm, key.prepared()) for key in given}
        if len(self._keys) < len(given):
            raise ValueError("two keys of a TokenCodec have the same id: give each its own")
        self._signing = given[0].id
        self._issuer = issuer
        self._audience = audience

    def encode(self, claims: Claims) -> SturdyRef[Any]:
        """Makes a signed token.

        Parameters:
            claims: what it says.

        Raises:
            ValueError: the token would be longer than 4096 characters, or the first key only verifies.
        """
        algorithm, key = self._keys[self._signing]
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": claims.principal,
            "iat": claims.issued,
            "exp": claims.expires,
            "jti": claims.id,
            "kind": claims.kind,
            "arguments": claims.arguments,
        }
        if not hasattr(key, "sign") and not isinstance(key, bytes):
            raise ValueError(f"key {self._signing!r} only verifies: put one that signs in front of it")
        token = jwt.encode(payload, key, algorithm, headers={"kid": self._signing, "typ": _TYPE})
        if len(token) > MAX_TOKEN:
            raise ValueError(
                f"the token would have {len(token)} characters, and {MAX_TOKEN} are allowed: "
                "keep what is long in a database, and its key in the arguments"
            )
        return SturdyRef(token)

    def decode(self, ref: SturdyRef[Any], now: float) -> Claims:
        """Verifies a token, and reads what it says.

        Parameters:
            ref: the reference with the token, from anybody.
            now: the time, in seconds since 1970.

        Raises:
            Refusal: the token is forged, malformed, expired, of another issuer, or for another audience. It is an
                exception of `capnweb_runtime.sturdy.claims`, whose text is not for callers.
        """
        try:
            said = self._verified(ref.token)
        except Refusal:
            raise
        except Exception as error:  # whatever a stranger's text makes a parser raise
            reason = f"the token cannot be verified ({type(error).__name__})"
        else:
            return _claims(said, now)
        raise Refusal(reason)  # outside of the handler, so that nothing of the other error hangs on it

    def _verified(self, token: str) -> Mapping[str, Any]:
        if _FORM.fullmatch(token) is None:  # PyJWT would let some through that differ from what was signed
            raise Refusal("the token is no JWT")
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        found = self._keys.get(kid) if isinstance(kid, str) else None
        if found is None:
            raise Refusal("the token names no key that is known here")
        if header.get("typ") != _TYPE:
            raise Refusal("the token is a JWT of another type")
        algorithm, key = found
        payload: Mapping[str, Any] = jwt.decode(
            token, key, algorithms=[algorithm], issuer=self._issuer, audience=self._audience, options=_OPTIONS
        )
        return payload


def _claims(said: Mapping[str, Any], now: float) -> Claims:
    """The claims of a token that is ours. Their types are checked all the same: another version may have made it."""
    id, kind, principal = said.get("jti"), said.get("kind"), said.get("sub")
    issued, expires = said.get("iat"), said.get("exp")
    if not _is_name(id) or not _is_name(kind) or "arguments" not in said or "sub" not in said:
        raise Refusal("the token lacks a claim, or one is of the wrong type")
    if principal is not None and not _is_name(principal):
        raise Refusal("the principal of the token is no name", id)
    if type(issued) is not int or type(expires) is not int:
        raise Refusal("a time of the token is no whole number", id)
    if expires <= now:
        raise Refusal("the token has expired", id)
    if issued > now + _SKEW:
        raise Refusal("the token was made in the future", id)
    return Claims(id, kind, said["arguments"], principal, issued, expires)


def _is_name(value: object) -> TypeIs[str]:
    return isinstance(value, str) and value != ""
