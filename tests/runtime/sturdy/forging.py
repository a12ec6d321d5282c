"""Tokens that nobody should accept, made of good ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from capnweb_runtime.sturdy import SturdyRef


def encoded(data: bytes) -> str:
    """Base64 as JWTs have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(ref: SturdyRef[Any], index: int) -> Any:
    """The header (0) or the payload (1) of a token."""
    text = ref.token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def signed(header: Any, payload: Any, secret: bytes) -> SturdyRef[Any]:
    """A token with an HMAC of any key, whatever its header says."""
    head, body = (encoded(one if isinstance(one, bytes) else json.dumps(one).encode()) for one in (header, payload))
    mac = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return SturdyRef(f"{head}.{body}.{encoded(mac)}")


def edited(ref: SturdyRef[Any], **claims: Any) -> SturdyRef[Any]:
    """The token with other claims under the signature that it had."""
    head, _, mac = ref.token.split(".")
    return SturdyRef(f"{head}.{encoded(json.dumps({**part(ref, 1), **claims}).encode())}.{mac}")
