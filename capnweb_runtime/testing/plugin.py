"""The plugin for pytest: fixtures, and the marker that has sessions searched for leaks. Rule: every run of pytest loads
this module where the package is installed, so that it imports nothing else of it before a test asks for a fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capnweb_runtime import testing

if TYPE_CHECKING:
    from capnweb_runtime.testing.fixtures import PairFixture, ServerFixture
    from capnweb_runtime.testing.recording import Record

_MARKER = "capnweb"
_NO_LEAKS = "capnweb_no_leaks"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How the whole run, or a project, asks for what the marker asks for a test."""
    told = "search the sessions of capnweb_pair and capnweb_server for leaks, unless a test is marked otherwise"
    parser.getgroup("capnweb").addoption("--capnweb-no-leaks", action="store_true", default=None, help=told)
    parser.addini(_NO_LEAKS, told, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(no_leaks=True): whether the test fails if a session of its fixtures still holds something",
    )


@pytest.fixture
def capnweb_calls(request: pytest.FixtureRequest) -> Record:
    """What passes in the sessions of `capnweb_pair` and `capnweb_server`: calls, messages, round trips; see
    `capnweb_runtime.testing.record`.
    """
    return testing.record()


@pytest.fixture
def capnweb_pair(request: pytest.FixtureRequest) -> PairFixture:
    """What joins a client to a target in this process; see `capnweb_runtime.testing.pair`.

    `async with capnweb_pair(Library(), LibraryStub) as library:`
    """
    return testing.PairFixture(_record(request), _no_leaks(request))


@pytest.fixture
def capnweb_server(request: pytest.FixtureRequest) -> ServerFixture:
    """What serves on a free port and connects a client; see `capnweb_runtime.testing.serve_local`.

    `async with capnweb_server(lambda peer: Library(), LibraryStub) as library:`
    """
    return testing.ServerFixture(_record(request), _no_leaks(request))


def _record(request: pytest.FixtureRequest) -> Record | None:
    if "capnweb_calls" not in request.fixturenames:
        return None
    found: Record = request.getfixturevalue("capnweb_calls")
    return found


def _no_leaks(request: pytest.FixtureRequest) -> bool:
    """What the nearest marker says; if none does, the command line or the project's settings."""
    marker = request.node.get_closest_marker(_MARKER)
    if marker is None:
        return bool(request.config.getoption(_NO_LEAKS) or request.config.getini(_NO_LEAKS))
    no_leaks = marker.kwargs.get("no_leaks")
    if marker.args or set(marker.kwargs) != {"no_leaks"} or not isinstance(no_leaks, bool):
        raise pytest.UsageError(f"{request.node.nodeid}: write @pytest.mark.capnweb(no_leaks=True), or False")
    return no_leaks
