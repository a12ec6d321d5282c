"""A service has what `serve` may be given, and refuses what it may not, with what is meant."""

from __future__ import annotations

import inspect
from typing import Any, cast

import pytest

from capnweb_runtime import Service, ServiceOptions, connect, serve
from tests.runtime.transports.example_api import Example, ExampleStub


async def test_its_options_are_those_of_serve() -> None:
    service = Service(lambda peer: Example(), errors="all", call_timeout=5.0)
    assert service.options == {"errors": "all", "call_timeout": 5.0}
    async with (
        serve(service.main_factory, "127.0.0.1", 0, **service.options) as server,
        connect(server.url, ExampleStub) as api,
    ):
        assert await api.add(1, 2) == 3


def test_each_option_is_a_parameter_of_serve_that_does_not_say_where_it_listens() -> None:
    parameters = inspect.signature(serve).parameters
    place = [
        "main_factory",
        "host",
        "port",
        "sock",
        "unix",
        "path",
        "ssl",
        "transports",
        "origins",
        "hosts",
        "reuse_port",
        "forwarded",
    ]
    asked_for_on_the_command_line = ["reflection", "inspector"]
    assert {*ServiceOptions.__annotations__} == {*parameters} - {*place, *asked_for_on_the_command_line}


@pytest.mark.parametrize(
    ("name", "told"), [("plan", "did you mean 'plans'"), ("host", "stands on the command line"), ("", "command line")]
)
def test_what_is_no_option_is_refused(name: str, told: str) -> None:
    options: Any = {name: True}
    with pytest.raises(TypeError, match=told):
        Service(lambda peer: Example(), **options)


def test_a_factory_that_cannot_make_a_main_object_is_refused() -> None:
    with pytest.raises(TypeError, match="makes a main object for each session"):
        Service(cast(Any, Example()))
