"""A port that processes share: it stays theirs, and whoever waits at a socket of it is accepted by its next owner."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from capnweb_runtime.running import port as module
from capnweb_runtime.running.port import ATTEMPTS, SharedPort


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_it_is_the_same_at_all_addresses_and_taken_while_none_listens(held: ExitStack) -> None:
    port = SharedPort(["127.0.0.1", "127.0.0.2"], 0, held)
    for host in ("127.0.0.1", "127.0.0.2"):
        with socket.socket() as other, pytest.raises(OSError, match="Address already in use"):
            other.bind((host, port.number))
        with socket.socket() as asking:
            assert asking.connect_ex((host, port.number)) == errno.ECONNREFUSED


def test_each_worker_gets_sockets_of_its_own_at_each_address(held: ExitStack) -> None:
    port = SharedPort(["127.0.0.1", "127.0.0.2"], 0, held)
    names = [("127.0.0.1", port.number), ("127.0.0.2", port.number)]
    for sockets in (port.sockets(), port.sockets()):
        for one in sockets:
            held.enter_context(one).listen()
        assert [one.getsockname() for one in sockets] == names


def test_who_waits_at_a_socket_is_accepted_through_another_copy_of_it(held: ExitStack) -> None:
    (ours,) = SharedPort(["127.0.0.1"], 0, held).sockets()
    with ours, ours.dup() as old:
        old.listen()
        with socket.create_connection(ours.getsockname()) as client:
            old.close()
            accepted, _ = ours.accept()
            with accepted:
                assert accepted.getpeername() == client.getsockname()


def test_without_addresses_there_are_no_sockets(held: ExitStack) -> None:
    assert SharedPort([], 0, held).sockets() == []


def taken_at(host: str, times: int, held: ExitStack, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has somebody take the port at an address just before it is asked for, so many times. Returns what was taken."""
    taken: list[int] = []
    bind = module._bound

    def late(family: int, kind: int, protocol: int, address: tuple[object, ...], **how: Any) -> socket.socket:
        if address[0] == host and len(taken) < times:
            other = held.enter_context(socket.socket())
            other.bind(address)
            taken.append(other.getsockname()[1])
        return bind(family, kind, protocol, address, **how)

    monkeypatch.setattr(module, "_bound", late)
    return taken


def test_any_port_is_one_that_is_free_at_all_addresses(held: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = taken_at("127.0.0.2", 2, held, monkeypatch)
    port = SharedPort(["127.0.0.1", "127.0.0.2"], 0, held)
    assert len(taken) == 2
    assert port.number not in taken
    names = [("127.0.0.1", port.number), ("127.0.0.2", port.number)]
    assert [held.enter_context(one).getsockname() for one in port.sockets()] == names


def test_a_port_is_not_chosen_for_ever(held: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = taken_at("127.0.0.2", 100, held, monkeypatch)
    with pytest.raises(OSError, match="Address already in use"):
        SharedPort(["127.0.0.1", "127.0.0.2"], 0, held)
    assert len(taken) == ATTEMPTS


def test_a_port_that_was_asked_for_is_that_one_or_none(held: ExitStack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="Address already in use"):
            SharedPort(["127.0.0.1"], other.getsockname()[1], held)
