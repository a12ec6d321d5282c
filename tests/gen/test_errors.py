"""Diagnostics: how they read, and in which order."""

from __future__ import annotations

from capnweb_gen.errors import Diagnostic, in_order


def test_a_diagnostic_reads_as_place_message_and_hint() -> None:
    fault = Diagnostic("schemas/api.py", 3, 14, "set[int] cannot travel", "write list[...]")
    assert str(fault) == "schemas/api.py:3:14: set[int] cannot travel\n    hint: write list[...]"


def test_diagnostics_come_by_file_and_position_each_once() -> None:
    later = Diagnostic("a.py", 10, 1, "m", "h")
    earlier = Diagnostic("a.py", 9, 80, "m", "h")
    other = Diagnostic("b.py", 1, 1, "m", "h")
    assert in_order([other, later, earlier, later]) == (earlier, later, other)
