"""What tests of clients and servers need: two ends in one process, a record of what passes, faults, and a check that
everything was given back. See docs/testing.md.

It belongs to no test runner; `capnweb_runtime.testing.plugin` has fixtures for pytest. A name is imported when it is
first asked for, since the plugin is loaded by every run of pytest in an environment that has this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capnweb_runtime.testing.answers import UnexpectedCall
    from capnweb_runtime.testing.fakes import Fake, verify
    from capnweb_runtime.testing.faults import Clock, Faults, Lane
    from capnweb_runtime.testing.fixtures import PairFixture, ServerFixture
    from capnweb_runtime.testing.leaks import assert_no_leaks
    from capnweb_runtime.testing.local_server import LocalServer, serve_local
    from capnweb_runtime.testing.pairing import Pair, pair
    from capnweb_runtime.testing.recording import Record, RecordedCall, WireMessage, record

__all__ = [
    "Clock",
    "Fake",
    "Faults",
    "Lane",
    "LocalServer",
    "Pair",
    "PairFixture",
    "Record",
    "RecordedCall",
    "ServerFixture",
    "UnexpectedCall",
    "WireMessage",
    "assert_no_leaks",
    "pair",
    "record",
    "serve_local",
    "verify",
]

# What type checkers read above, for those who run it: the modules, and what each gives.
_HOMES = {
    "answers": "UnexpectedCall",
    "fakes": "Fake verify",
    "faults": "Clock Faults Lane",
    "fixtures": "PairFixture ServerFixture",
    "leaks": "assert_no_leaks",
    "local_server": "LocalServer serve_local",
    "pairing": "Pair pair",
    "recording": "Record RecordedCall WireMessage record",
}

if not TYPE_CHECKING:  # else they would believe that every name is here

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names.split():
                # Kept, so that this is not called for it again.
                return globals().setdefault(name, getattr(import_module(f"{__name__}.{home}"), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
