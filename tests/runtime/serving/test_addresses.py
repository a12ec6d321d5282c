"""What counts as one address."""

from __future__ import annotations

import pytest

from capnweb_runtime.serving.addresses import address_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9", "::ffff:203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_these_are_counted_together(one: str, other: str) -> None:
    assert address_of((one, 1), every=True) == address_of((other, 2, 0, 0), every=True) is not None


@pytest.mark.parametrize(("one", "other"), [("203.0.113.9", "203.0.113.8"), ("2001:db8:1:2::1", "2001:db8:1:3::1")])
def test_these_are_not(one: str, other: str) -> None:
    assert address_of((one, 1), every=True) != address_of((other, 1), every=True)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.0.1", "192.168.1.1", "169.254.0.1", "100.64.0.1"),
        *("::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"),
    ],
)
def test_private_networks_count_only_where_every_address_does(host: str) -> None:
    assert address_of((host, 1), every=False) is None
    assert address_of((host, 1), every=True) is not None


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2a00::1", "::2"]
)
def test_the_public_internet_counts_always(host: str) -> None:
    assert address_of((host, 1), every=False) is not None


@pytest.mark.parametrize("peername", [None, "", "/run/socket", (), ("no address", 1)])
def test_what_has_no_address_is_not_counted(peername: object) -> None:
    assert address_of(peername, every=True) is None
