"""Opens the backplane that a URL names. Rule: an engine's library is imported when its URL is opened, and whoever lacks
it is told in one line how to get it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from capnweb_runtime.scale.contract import Bounds
from capnweb_runtime.scale.memory import MemoryBackplane

if TYPE_CHECKING:
    from capnweb_runtime.scale.contract import Backplane

_ENGINES: Final = {
    "redis": ("on_redis", "RedisBackplane", "redis"),
    "rediss": ("on_redis", "RedisBackplane", "redis"),
    "nats": ("on_nats", "NatsBackplane", "nats"),
    "tls": ("on_nats", "NatsBackplane", "nats"),
}
"""For each scheme the module, the class, and the package that it needs."""


def open_backplane(
    url: str = "memory:",
    *,
    bounds: Bounds = Bounds(),  # noqa: B008 — a constant
    name: str = "capnweb",
) -> Backplane:
    """Makes the backplane that a URL names. Enter it with `async with`, which connects.

    Parameters:
        url: "memory:" for this process alone; "redis://host:6379/0", or "rediss://..." with TLS; "nats://host:4222", or
            "tls://..." with TLS. User and password stand before the host, as in "redis://:password@host:6379/0".
        bounds: how much is kept at most. All processes that share an engine have to give the same.
        name: name of the application, which keeps its data apart from that of others in one engine: letters, digits,
            `_` and `-`.

    Raises:
        ValueError: the URL names no engine, or `name` has other characters.
        ImportError: the library of the engine is not installed; the message says what to install.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return MemoryBackplane(bounds=bounds)
    if scheme not in _ENGINES:
        raise ValueError(
            f"no backplane has a URL that begins with {scheme or url[:20]!r}: use memory:, redis:// or nats://"
        )
    module, kind, extra = _ENGINES[scheme]
    try:
        engine = import_module(f"capnweb_runtime.scale.{module}")
    except ModuleNotFoundError as missing:
        if missing.name != extra:
            raise
        raise ImportError(f"a backplane at {scheme}:// needs {extra}: pip install 'capnweb-gen[{extra}]'") from missing
    backplane: Backplane = getattr(engine, kind)(url, bounds=bounds, name=name)
    return backplane
