"""Tokens: signed, verified with a key of ours and its own algorithm, and refused in every other case."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.sturdy import Claims, SturdyRef, TokenCodec, TokenKey
from capnweb_runtime.sturdy.claims import Refusal
from capnweb_runtime.values import MAX_TOKEN
from tests.project.sources import ROOT
from tests.runtime.sturdy.forging import edited, encoded, part, signed
from tests.runtime.sturdy.service import KEY, NOON, OLD_KEY

ISSUER, AUDIENCE = "https://chat.example", "chat"
CLAIMS = Claims("t1", "room", {"number": 7}, "ada", NOON, NOON + 60)

_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE = _PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = _PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def codec(*keys: TokenKey, issuer: str = ISSUER, audience: str = AUDIENCE) -> TokenCodec:
    return TokenCodec(keys or (KEY,), issuer=issuer, audience=audience)


GOOD = codec().encode(CLAIMS)


def reason(ref: SturdyRef[Any], reader: TokenCodec | None = None, now: float = NOON) -> str:
    """Why a token is refused; nothing of it hangs on the exception."""
    with pytest.raises(Refusal) as caught:
        (reader or codec()).decode(ref, now)
    assert caught.value.__context__ is None
    assert len(ref.token) < 20 or ref.token not in str(caught.value)
    return caught.value.reason


def test_a_token_says_what_was_put_into_it() -> None:
    assert codec().decode(GOOD, NOON) == CLAIMS
    assert part(GOOD, 0) == {"alg": "HS256", "kid": "new", "typ": "sturdy+jwt"}
    assert part(GOOD, 1) == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "iat": NOON,
        "exp": NOON + 60,
        "jti": "t1",
        "kind": "room",
        "arguments": {"number": 7},
    }


def test_what_a_token_says_is_shown_without_its_arguments() -> None:
    assert "number" not in repr(CLAIMS)
    assert "t1" in repr(CLAIMS)


@pytest.mark.parametrize(
    "claim",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"sub": "bob"},
        {"sub": None},
        {"iat": NOON - 1},
        {"exp": NOON + 10**9},
        {"jti": "t2"},
        {"kind": "admin"},
        {"arguments": {"number": 8}},
        {"admin": True},
    ],
    ids=lambda claim: next(iter(claim)),
)
def test_no_claim_can_be_edited(claim: dict[str, Any]) -> None:
    assert "InvalidSignatureError" in reason(edited(GOOD, **claim))


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_no_header_can_be_edited(name: str) -> None:
    _, body, mac = GOOD.token.split(".")
    values: list[Any] = ["HS512", "old", "JWT", "none", None, 1, [], {}]
    for value in values:
        header = encoded(json.dumps({**part(GOOD, 0), name: value}).encode())
        reason(SturdyRef(f"{header}.{body}.{mac}"), codec(KEY, OLD_KEY))


def test_the_signature_of_every_byte_counts() -> None:
    head, body, mac = GOOD.token.split(".")
    for index, letter in enumerate(mac[:-1]):
        other = "A" if letter != "A" else "B"
        reason(SturdyRef(f"{head}.{body}.{mac[:index]}{other}{mac[index + 1 :]}"))
    for cut in ("", mac[:-4]):
        reason(SturdyRef(f"{head}.{body}.{cut}"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None])
def test_a_token_without_a_signature_is_refused(alg: str | None) -> None:
    _, body, mac = GOOD.token.split(".")
    header = encoded(json.dumps({"alg": alg, "kid": "new", "typ": "sturdy+jwt"}).encode())
    assert reason(SturdyRef(f"{header}.{body}.")) == "the token is no JWT"
    assert "InvalidAlgorithmError" in reason(SturdyRef(f"{header}.{body}.{mac}"))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_key(algorithm: str) -> None:
    token = jwt.encode(part(GOOD, 1), b"n" * 64, algorithm, {"kid": "new", "typ": "sturdy+jwt"})
    assert "InvalidAlgorithmError" in reason(SturdyRef(token), codec(TokenKey("new", b"n" * 64)))


def test_a_public_key_is_no_secret_of_another_algorithm() -> None:
    """Who only knows the public key signs with it, as if it were a secret."""
    reader = codec(TokenKey("new", PUBLIC, "EdDSA"))
    forged = signed({"alg": "HS256", "kid": "new", "typ": "sturdy+jwt"}, part(GOOD, 1), PUBLIC)
    assert "InvalidAlgorithmError" in reason(forged, reader)
    with pytest.raises(ValueError, match="is no key for HS256"):
        TokenKey("new", PUBLIC)


def test_a_key_is_not_tried_for_the_tokens_of_another() -> None:
    both = codec(KEY, OLD_KEY)
    for header, secret in (("old", KEY.secret), ("new", OLD_KEY.secret)):
        forged = signed({"alg": "HS256", "kid": header, "typ": "sturdy+jwt"}, part(GOOD, 1), secret)
        assert "InvalidSignatureError" in reason(forged, both)


@pytest.mark.parametrize("kid", ["unknown", "", None, 1, ["new"], {"new": 1}, "../new"])
def test_an_unknown_key_is_refused(kid: Any) -> None:
    forged = signed({"alg": "HS256", "kid": kid, "typ": "sturdy+jwt"}, part(GOOD, 1), KEY.secret)
    reason(forged)
    assert "names no key" in reason(signed({"alg": "HS256", "typ": "sturdy+jwt"}, part(GOOD, 1), KEY.secret))


def test_keys_that_a_token_brings_along_are_not_looked_at() -> None:
    header = {"alg": "HS256", "typ": "sturdy+jwt", "jwk": {"kty": "oct", "k": encoded(b"e" * 32)}, "jku": "https://e"}
    assert "names no key" in reason(signed(header, part(GOOD, 1), b"e" * 32))
    assert "InvalidSignatureError" in reason(signed({**header, "kid": "new"}, part(GOOD, 1), b"e" * 32))


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", None])
def test_another_token_of_the_same_issuer_is_none(kind: str | None) -> None:
    """An access token, say, that is signed with the same key and has claims of these names."""
    assert "another type" in reason(signed({"alg": "HS256", "kid": "new", "typ": kind}, part(GOOD, 1), KEY.secret))


class TestRotation:
    def test_the_old_key_verifies_for_as_long_as_it_is_kept(self) -> None:
        old = codec(OLD_KEY).encode(CLAIMS)
        rotated = codec(KEY, OLD_KEY)
        assert rotated.decode(old, NOON) == CLAIMS
        assert part(rotated.encode(CLAIMS), 0)["kid"] == "new"
        assert "names no key" in reason(old, codec(KEY))

    def test_algorithms_may_be_mixed_while_keys_change(self) -> None:
        old, new = codec(OLD_KEY), codec(TokenKey("ed", PRIVATE, "EdDSA"), OLD_KEY)
        assert new.decode(old.encode(CLAIMS), NOON) == new.decode(new.encode(CLAIMS), NOON) == CLAIMS
        assert part(new.encode(CLAIMS), 0)["alg"] == "EdDSA"

    def test_a_public_key_verifies_and_does_not_sign(self) -> None:
        token = codec(TokenKey("ed", PRIVATE, "EdDSA")).encode(CLAIMS)
        reader = codec(TokenKey("ed", PUBLIC, "EdDSA"))
        assert reader.decode(token, NOON) == CLAIMS
        with pytest.raises(ValueError, match="key 'ed' only verifies"):
            reader.encode(CLAIMS)


def test_tokens_of_other_issuers_and_for_other_audiences_are_refused() -> None:
    assert "InvalidIssuerError" in reason(codec(issuer="https://other.example").encode(CLAIMS))
    assert "InvalidAudienceError" in reason(codec(audience="chat-staging").encode(CLAIMS))
    audiences: list[Any] = [["chat"], ["chat", "other"], {}, None, ""]
    for audience in audiences:
        reason(signed(part(GOOD, 0), {**part(GOOD, 1), "aud": audience}, KEY.secret))


def test_a_token_ends_with_its_last_second() -> None:
    assert codec().decode(GOOD, NOON + 59.9) == CLAIMS
    assert reason(GOOD, now=NOON + 60) == "the token has expired"


def test_a_clock_may_be_a_little_slow() -> None:
    assert codec().decode(GOOD, NOON - 60) == CLAIMS
    assert reason(GOOD, now=NOON - 61) == "the token was made in the future"


CLAIM_NAMES = ["iss", "aud", "sub", "iat", "exp", "jti", "kind", "arguments"]


@pytest.mark.parametrize("name", CLAIM_NAMES)
def test_a_token_without_one_of_the_claims_is_refused(name: str) -> None:
    left = {key: value for key, value in part(GOOD, 1).items() if key != name}
    reason(signed(part(GOOD, 0), left, KEY.secret))


NO_NAMES: list[Any] = [None, True, 1, 1.5, "", [], {}, ["ada"]]
NO_TIMES: list[Any] = [None, True, NOON + 30.5, "", str(NOON + 30), [], {}, [NOON], float("nan"), float("inf")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, value)
            for name in ("iss", "aud", "jti", "kind", "sub")
            for value in NO_NAMES
            if name != "sub" or value
        ),
        *((name, value) for name in ("iat", "exp") for value in NO_TIMES),
        ("sub", ""),
    ],
)
def test_a_claim_of_another_type_is_refused(name: str, value: Any) -> None:
    """Signed with the right key, by a version with a fault, say."""
    reason(signed(part(GOOD, 0), {**part(GOOD, 1), name: value}, KEY.secret))


@pytest.mark.parametrize(
    "token",
    [
        ".",
        "..",
        "...",
        "a.b.c",
        "ä.ö.ü",
        "\ud83d.x.y",
        "\0",
        " ",
        "e" * MAX_TOKEN,
        "." * MAX_TOKEN,
        f"{encoded(b'[' * 3000)}.e30.",
        f"{encoded(b'{' + b'1' * 2000)}.e30.",
        f"{encoded(b'null')}.e30.",
        f"{encoded(b'[]')}.e30.",
        f"{encoded(b'7')}.e30.",
        "e30.e30.",
        "e30.e30.e30.e30",
        " " + GOOD.token,
        GOOD.token + "\n",
        GOOD.token + "=",
        GOOD.token + ".x",
    ],
    ids=range(21),
)
def test_what_is_no_token_is_refused(token: str) -> None:
    reason(SturdyRef(token))


def test_a_payload_that_is_no_object_is_refused() -> None:
    for payload in (b"[]", b"null", b"{", b"[" * 2000, b"\xff", b"7", b'{"exp": 1e999}'):
        reason(signed(part(GOOD, 0), payload, KEY.secret))


@given(st.text(min_size=1, max_size=200) | st.from_regex(r"\A[\w-]{1,80}\.[\w-]{0,80}\.[\w-]{0,80}\Z"))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    reason(SturdyRef(text))


@pytest.mark.parametrize("error", [RecursionError("eyJ"), UnicodeError("eyJ"), KeyError("eyJ"), TypeError("eyJ")])
def test_whatever_a_parser_raises_is_a_refusal(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(jwt, "get_unverified_header", fail)
    assert reason(GOOD) == f"the token cannot be verified ({type(error).__name__})"


def test_a_token_that_would_be_too_long_is_not_made() -> None:
    with pytest.raises(ValueError, match=r"the token would have \d+ characters, and 4096 are allowed: keep what is"):
        codec().encode(Claims("t1", "room", "x" * 4000, "ada", NOON, NOON + 60))


class TestKeys:
    def test_a_secret_is_not_shown(self) -> None:
        assert repr(KEY) == "TokenKey(id='new', algorithm='HS256')"
        assert "nnn" not in repr(codec())

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            (("k", b"short"), ValueError, "the secret of key 'k' has 5 bytes; use 32 or more"),
            (("k", "x" * 32), TypeError, "the secret of key 'k' has to be bytes, not str"),
            (("", b"x" * 32), ValueError, "a key needs an id"),
            (("k", b"x" * 32, "none"), ValueError, "tokens are signed by HS256 or EdDSA, not by 'none'"),
            (("k", b"x" * 32, "RS256"), ValueError, "not by 'RS256'"),
            (("k", b"x" * 32, "EdDSA"), ValueError, "the secret of key 'k' is no key for EdDSA"),
            (("k", PRIVATE), ValueError, "is no key for HS256"),
            (("k", b"-----BEGIN PRIVATE KEY-----\nxxx", "EdDSA"), ValueError, "is no key for EdDSA"),
        ],
    )
    def test_what_is_no_key_is_told_at_once(self, arguments: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words) as caught:
            TokenKey(*arguments)
        assert "xxx" not in str(caught.value)

    @pytest.mark.parametrize(
        ("keys", "names", "words"),
        [
            ([], {}, "needs a key"),
            ([KEY, TokenKey("new", b"x" * 32)], {}, "two keys of a TokenCodec have the same id"),
            ([KEY], {"issuer": ""}, "needs an issuer and an audience"),
            ([KEY], {"audience": ""}, "needs an issuer and an audience"),
        ],
    )
    def test_a_codec_that_could_not_work_is_refused(self, keys: Any, names: Any, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            TokenCodec(keys, **{"issuer": ISSUER, "audience": AUDIENCE, **names})


@pytest.mark.parametrize(
    ("absent", "program", "said"),
    [
        (
            "jwt",
            "from capnweb_runtime.sturdy import TokenCodec",
            "TokenCodec needs PyJWT: pip install 'capnweb-gen[sturdy]'",
        ),
        (
            "cryptography",
            "from capnweb_runtime.sturdy import TokenKey; TokenKey('k', b'x', 'EdDSA')",
            "EdDSA needs cryptography: pip install 'pyjwt[crypto]'",
        ),
    ],
)
def test_a_package_that_is_missing_is_told_with_what_to_install(absent: str, program: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{absent!r}] = None\n{program}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"ImportError: {said}" in done.stderr
