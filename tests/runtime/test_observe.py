"""What an application is told of a session, and what becomes of an observer's own failures."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import RpcError, SessionClosed
from capnweb_runtime.observe import Observer, error_for_peer, printable, tell_ended, tell_failed
from capnweb_runtime.serving.serve import serve
from tests.runtime.pair import SyncHost
from tests.runtime.transports.example_api import Example, ExampleStub


def formatted(record: logging.LogRecord) -> str:
    return logging.Formatter("%(levelname)s %(message)s").format(record)


class TestTheDefault:
    def test_failures_are_logged_with_their_traceback(self, caplog: pytest.LogCaptureFixture) -> None:
        try:
            raise ValueError("no")
        except ValueError as error:
            Observer().target_failed("Desk.fail", error)
        (record,) = caplog.records
        assert record.name == "capnweb_runtime"
        assert record.levelno == logging.ERROR
        assert record.getMessage() == "Desk.fail raised ValueError: no"
        assert record.exc_info is not None
        assert record.exc_info[2] is not None
        assert "Traceback" in formatted(record)

    def test_errors_are_sent_as_they_are(self) -> None:
        error = ValueError("no")
        assert Observer().sending_error(error) is error

    def test_the_end_of_a_session_is_silent(self, caplog: pytest.LogCaptureFixture) -> None:
        Observer().session_ended(ValueError("gone"))
        assert caplog.records == []

    def test_a_host_tells_its_observer(self, caplog: pytest.LogCaptureFixture) -> None:
        SyncHost(Observer()).report("Desk.fail", ValueError("no"))
        assert [record.getMessage() for record in caplog.records] == ["Desk.fail raised ValueError: no"]


class TestTextsOfStrangers:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("plain text, é and 日本", "plain text, é and 日本"),
            ("one\nERROR two\r", r"one\nERROR two\r"),
            ("\x1b[31m\0\x7f", r"\x1b[31m\x00\x7f"),
            ("\u202e\u2028\ud800", r"\u202e\u2028\ud800"),
        ],
    )
    def test_control_characters_are_escaped(self, text: str, shown: str) -> None:
        assert printable(text) == shown

    def test_long_ones_are_cut(self) -> None:
        assert printable("x" * 10, 4) == "xxxx…"

    def test_an_error_cannot_forge_a_line_of_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        try:
            raise ValueError("no\nERROR forged\x1b[2J")
        except ValueError as error:
            Observer().target_failed("Desk.fail", error)
        first, *rest = formatted(caplog.records[0]).splitlines()
        assert first == r"ERROR Desk.fail raised ValueError: no\nERROR forged\x1b[2J"
        assert all(line.startswith("    ") for line in rest)
        assert r"    ERROR forged\x1b[2J" in rest

    def test_an_error_whose_text_cannot_be_had_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise ValueError("no text")

        Observer().target_failed("Desk.fail", Mute())
        assert "Mute without text" in formatted(caplog.records[0])

    def test_a_huge_error_is_cut(self, caplog: pytest.LogCaptureFixture) -> None:
        Observer().target_failed("Desk.fail", ValueError("x" * 5_000_000))
        assert len(formatted(caplog.records[0])) < 200_000


class Failing(Observer):
    """Raises whatever is asked of it."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def target_failed(self, where: str, error: BaseException) -> None:
        raise self.error

    def sending_error(self, error: BaseException) -> BaseException:
        raise self.error

    def session_ended(self, reason: BaseException) -> None:
        raise self.error


def replacing(value: Any) -> Observer:
    class Replacing(Observer):
        def sending_error(self, error: BaseException) -> Any:
            return value

    return Replacing()


class TestAnObserverThatFails:
    @pytest.mark.parametrize("failure", [RuntimeError("sentry is down"), asyncio.CancelledError("sentry is down")])
    def test_it_is_logged_once_with_what_it_was_told(
        self, failure: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        tell_failed(Failing(failure), "Desk.fail", ValueError("the original"))
        (record,) = caplog.records
        message = record.getMessage()
        assert message.startswith(f"Failing.target_failed raised {type(failure).__name__}: sentry is down")
        assert "Desk.fail raised ValueError: the original" in message
        tell_ended(Failing(failure), SessionClosed("gone"))
        assert caplog.records[1].getMessage().startswith("Failing.session_ended raised")

    def test_what_it_replaces_errors_with_is_sent(self) -> None:
        replacement = ValueError("other")
        assert error_for_peer(replacing(replacement), KeyError("no")) is replacement

    def test_none_in_place_of_an_error_leaves_it_as_it_is(self, caplog: pytest.LogCaptureFixture) -> None:
        error = ValueError("no")
        assert error_for_peer(replacing(None), error) is error
        assert caplog.records == []

    @pytest.mark.parametrize("observer", [Failing(RuntimeError("sentry is down")), replacing("text")])
    def test_an_error_that_it_could_not_replace_is_sent_without_details(
        self, observer: Observer, caplog: pytest.LogCaptureFixture
    ) -> None:
        sent = error_for_peer(observer, KeyError("password of alice"))
        assert isinstance(sent, RpcError)
        assert "alice" not in str(sent)
        (record,) = caplog.records
        assert "sending_error raised" in record.getMessage()
        assert "KeyError: password of alice" in record.getMessage()

    def test_it_may_end_the_program(self) -> None:
        observer = Failing(SystemExit(3))
        for told in (
            lambda: tell_failed(observer, "Desk.fail", ValueError()),
            lambda: tell_ended(observer, ValueError()),
            lambda: error_for_peer(observer, ValueError()),
        ):
            with pytest.raises(SystemExit):
                told()

    async def test_every_call_is_answered_and_the_session_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        def callback(value: int) -> int:
            raise KeyError("callback")

        observer = Failing(RuntimeError("sentry is down"))
        async with (
            asyncio.timeout(60),
            serve(lambda peer: Example(peer), "127.0.0.1", 0, observer=observer) as server,
        ):
            for url in (server.url, server.http_url):
                async with connect(url, ExampleStub, observer=observer) as api:
                    results = await asyncio.gather(api.fail("x"), api.add(1, 2), return_exceptions=True)
                    assert [type(result) for result in results] == [RpcError, int]
            async with connect(server.url, ExampleStub, observer=observer) as api:
                with pytest.raises(RpcError):
                    await api.apply(callback, 1)
                assert await api.add(1, 2) == 3
        assert {record.name for record in caplog.records} == {"capnweb_runtime"}
        methods = [record.getMessage().split()[0] for record in caplog.records]
        assert methods.count("Failing.target_failed") == 4  # two failing calls, the callback, and the call that made it
        assert methods.count("Failing.session_ended") == 6
