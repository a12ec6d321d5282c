"""What a server says of itself: a GET of the URL that sessions are opened at. Rule: nothing imports this module before
somebody asks.
"""

from __future__ import annotations

import json
import ssl as ssl_module
from collections.abc import Mapping
from typing import Any, Final

from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.transports.ends import shown_url
from capnweb_runtime.transports.http_client import get

__all__ = ["ir_at"]

_SCHEMES: Final = {"ws": "http", "wss": "https"}


async def ir_at(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    ssl: ssl_module.SSLContext | None = None,
    open_timeout: float | None = 30.0,
) -> dict[str, Any]:
    """The IR of what a server serves that was told to say so, with `serve(reflection=True)`.

    Parameters:
        url: as `connect` takes it.
        headers: headers of the request.
        ssl: settings of TLS; None means the system's defaults.
        open_timeout: seconds to wait for the connection; None means without end.

    Returns:
        What `capnweb_runtime.reflection.ir_of` gives for the main object there.

    Raises:
        SessionClosed: there is no answer, or none with the IR; its `status` says which.
        ValueError: the URL is none that can be asked.
    """
    scheme, sign, rest = url.partition("://")
    kind, plus, unix = scheme.partition("+")
    asked = f"{_SCHEMES.get(kind, kind)}{plus}{unix}{sign}{rest}"
    if _SCHEMES.get(kind, kind) not in _SCHEMES.values():
        raise ValueError(f"cannot ask {url!r}: the URL has to start with ws://, wss://, http:// or https://")
    answer = await get(
        asked, headers=headers or {}, ssl=ssl, open_timeout=open_timeout, limit=DEFAULT_LIMITS.message_size
    )
    try:
        document: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("schemas"), list):
        shown = shown_url(url)
        raise SessionClosed.at(shown, f"{shown} does not say what it serves: its answer is no IR", answer.status)
    return document
