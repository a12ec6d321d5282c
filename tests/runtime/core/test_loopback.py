"""What is exported under an id is imported under it, and belongs to the importer."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.devaluate import devaluate
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.limits import DEFAULT_LIMITS
from tests.runtime.pair import SyncHost


class Counted(ErrorHook):
    __slots__ = ("disposed",)

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.disposed = 0

    def dispose(self) -> None:
        self.disposed += 1


def test_an_id_gives_the_hook_back() -> None:
    loopback = Loopback(SyncHost())
    stub, promise = Counted(), Counted()
    stub_id, promise_id = loopback.export_stub(stub), loopback.export_promise(promise)
    assert stub_id != promise_id
    assert loopback.import_stub(stub_id) is stub
    assert loopback.import_promise(promise_id) is promise
    assert (stub.disposed, promise.disposed) == (0, 0)


def test_what_is_not_imported_is_disposed_with_the_loopback() -> None:
    loopback = Loopback(SyncHost())
    hooks = [Counted(), Counted()]
    for hook in hooks:
        loopback.export_stub(hook)
    loopback.dispose()
    loopback.dispose()
    assert [hook.disposed for hook in hooks] == [1, 1]


def test_forgetting_leaves_the_hook_for_another_try() -> None:
    loopback = Loopback(SyncHost())
    hook = Counted()
    hook_id = loopback.export_stub(hook)
    loopback.forget(loopback.import_stub(hook_id))
    assert hook.disposed == 0
    assert loopback.import_stub(hook_id) is hook


def test_nothing_is_known_to_the_other_side() -> None:
    loopback = Loopback(SyncHost())
    assert loopback.import_id(Counted()) is None
    with pytest.raises(ProtocolError, match="no such entry on exports table: 0"):
        loopback.own_export(0)


def test_errors_cross_as_they_are() -> None:
    error = ValueError("mine")
    assert Loopback(SyncHost()).error_to_send(error) is error


def test_it_has_the_host_and_the_default_limits() -> None:
    host = SyncHost()
    loopback = Loopback(host)
    assert loopback.host is host
    assert loopback.limits is DEFAULT_LIMITS


def test_bytes_become_base64_unless_they_are_to_stay_as_they_are() -> None:
    assert devaluate(b"\x00\xff", Loopback(SyncHost())) == ["bytes", "AP8"]
    assert devaluate(b"\x00\xff", Loopback(SyncHost(), raw_bytes=True)) == ["bytes", b"\x00\xff"]
