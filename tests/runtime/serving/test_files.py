"""Open files, as the system counts them."""

from __future__ import annotations

import os
import resource

import pytest

from capnweb_runtime.serving.files import files_in_use, most_files


@pytest.mark.parametrize(
    ("limit", "reserved", "most"), [(1024, 128, 896), (200, 128, 150), (resource.RLIM_INFINITY, 128, 2**63 - 1)]
)
def test_some_are_kept_in_reserve_and_a_quarter_at_most(
    limit: int, reserved: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))
    assert most_files(reserved) == most


def test_an_open_file_is_in_use() -> None:
    before = files_in_use()
    number = os.open(os.devnull, os.O_RDONLY)
    assert number == before
    assert files_in_use() > before
    os.close(number)
    assert files_in_use() == before
