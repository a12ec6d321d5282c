"""A URL names an engine, whose library is imported then and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capnweb_runtime.scale import Cursor, MemoryBackplane, open_backplane
from capnweb_runtime.scale.on_nats import NatsBackplane
from capnweb_runtime.scale.on_redis import RedisBackplane
from capnweb_runtime.scale.waiting import LONGEST, pause


def test_a_url_names_an_engine() -> None:
    assert isinstance(open_backplane(), MemoryBackplane)
    assert isinstance(open_backplane("redis://127.0.0.1:1/0"), RedisBackplane)
    assert isinstance(open_backplane("nats://127.0.0.1:1"), NatsBackplane)


@pytest.mark.parametrize("url", ["", "amqp://host", "localhost:6379"])
def test_other_urls_are_refused_with_those_that_there_are(url: str) -> None:
    with pytest.raises(ValueError, match="memory:, redis:// or nats://"):
        open_backplane(url)


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "nats://127.0.0.1"])
def test_an_application_is_named_in_plain_characters(url: str) -> None:
    with pytest.raises(ValueError, match="cannot name an application"):
        open_backplane(url, name="a.b")


@pytest.mark.parametrize(("url", "library"), [("redis://h", "redis"), ("nats://h", "nats")])
def test_who_lacks_a_library_is_told_how_to_get_it(url: str, library: str) -> None:
    program = f"""
import sys
from capnweb_runtime.scale import open_backplane
assert not {{"redis", "nats"}} & sys.modules.keys()
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {library!r}:
            raise ModuleNotFoundError(name, name={library!r})
sys.meta_path.insert(0, Missing())
try:
    open_backplane({url!r})
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    scheme = url.partition(":")[0]
    assert done.stdout == f"a backplane at {scheme}:// needs {library}: pip install 'capnweb-gen[{library}]'\n"


def test_a_cursor_is_read_from_its_text() -> None:
    cursor = Cursor("17", 42)
    assert Cursor.parse(str(cursor)) == cursor
    for text in ("", "17", ":1", "17:", "17:x", "17:-1", "17:²", "1" * 99 + ":1"):
        with pytest.raises(ValueError, match="is no cursor"):
            Cursor.parse(text)


def test_everybody_waits_for_a_time_of_their_own() -> None:
    assert [pause(attempt, lambda: 1.0) for attempt in (1, 2, 3, 100)] == [0.05, 0.1, 0.2, LONGEST]
    assert pause(100, lambda: 0.5) == LONGEST / 2
    assert pause(1, lambda: 0.0) == 0.0


def test_who_only_publishes_loads_no_clients_and_no_servers() -> None:
    program = """
import sys
import capnweb_runtime.scale as scale
assert not [name for name in sys.modules if name.startswith(("capnweb_runtime.serving", "capnweb_runtime.connecting"))]
assert scale.Cluster.__module__ == "capnweb_runtime.scale.cluster.cluster"
try:
    scale.Clutser
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "module 'capnweb_runtime.scale' has no attribute 'Clutser'\n"
