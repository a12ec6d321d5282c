"""Sessions for callers without an event loop: `connect` opens them, `stub` has what generated blocking stubs derive
from, and `background` is the thread that drives them all.

A name is imported when it is first asked for: generated blocking stubs need `stub` alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capnweb_runtime.blocking.connect import (
        BlockingAnyStub,
        BlockingCallback,
        BlockingReadable,
        BlockingSession,
        BlockingStub,
        BlockingWritable,
        connect_blocking,
        run,
        timeout,
    )

__all__ = [
    "BlockingAnyStub",
    "BlockingCallback",
    "BlockingReadable",
    "BlockingSession",
    "BlockingStub",
    "BlockingWritable",
    "connect_blocking",
    "run",
    "timeout",
]

if not TYPE_CHECKING:  # else they would believe that every name is here

    def __getattr__(name: str) -> object:
        if name in __all__:
            return globals().setdefault(name, getattr(import_module(f"{__name__}.connect"), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
