"""Bodies of HTTP messages. Rule: no more is held than may be; imported with the first HTTP request only."""

from __future__ import annotations

import aiohttp

from capnweb_runtime.core.held import HeldTotal


class TooLargeError(Exception):
    """A body is longer than allowed."""


async def read_body(content: aiohttp.StreamReader, limit: int, total: HeldTotal | None = None) -> bytes:
    """The whole body.

    Parameters:
        content: where it comes from.
        limit: most bytes that it may have.
        total: what a server holds; counts the body until it has come whole.

    Raises:
        TooLargeError: it has more.
        LimitExceeded: the server has no room for it.
    """
    if content.is_eof():
        body = content.read_nowait()
        if len(body) > limit:
            raise TooLargeError
        return body
    chunks: list[bytes] = []
    size = counted = 0
    try:
        async for chunk in content.iter_any():
            size += len(chunk)
            if size > limit:
                raise TooLargeError
            if total is not None:
                total.add(len(chunk))
                counted = size
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        if total is not None:
            total.give_back(counted)
