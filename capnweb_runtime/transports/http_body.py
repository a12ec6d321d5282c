"""Bodies of HTTP messages. Rule: no more is held than may be; imported with the first HTTP request only."""

from __future__ import annotations

import aiohttp


class TooLargeError(Exception):
    """A body is longer than allowed."""


async def read_body(content: aiohttp.StreamReader, limit: int) -> bytes:
    """The whole body.

    Parameters:
        content: where it comes from.
        limit: most bytes that it may have.

    Raises:
        TooLargeError: it has more.
    """
    if content.is_eof():
        body = content.read_nowait()
        if len(body) > limit:
            raise TooLargeError
        return body
    chunks: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        size += len(chunk)
        if size > limit:
            raise TooLargeError
        chunks.append(chunk)
    return b"".join(chunks)
