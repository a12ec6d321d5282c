"""Every transport and mount is measured, at the smallest size that there is; what comes out is of no interest here. The
tables say how many times plain `serve` each is, and what failed.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from tests.bench import mounts, render
from tests.bench.carriers import BATCH_FIGURES, BATCHES, SERVERS, SESSION_FIGURES, SESSIONS, Carrier, failed, rows
from tests.bench.progress import Steps

FIRST, SECOND, *_ = SESSIONS


def silent() -> Steps:
    return Steps(Console(file=io.StringIO()))


@pytest.mark.parametrize("server", SERVERS)
def test_each_is_measured(server: str) -> None:
    carriers = [carrier for carrier in mounts.CARRIERS if carrier.server == server]
    turns = mounts.measure(carriers, 1, 0.0, silent())
    assert [turn.get("error") for turn in turns] == [None] * len(carriers)
    for carrier, turn in zip(carriers, turns, strict=True):
        names = BATCH_FIGURES if carrier.transport == "http" else SESSION_FIGURES
        assert all(turn[name] > 0 for name in names)


def test_one_that_does_not_start_leaves_the_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVERS, SECOND.server, ("no-such-program", "{port}"))
    turns = mounts.measure([FIRST, SECOND], 1, 0.0, silent())
    assert ["error" in turn for turn in turns] == [False, True]
    assert failed(turns, SESSIONS) == [f"{SECOND.title}: no-such-program {port_of(turns)}: No such file or directory"]


def port_of(turns: list[dict[str, Any]]) -> str:
    return str(turns[1]["error"]).split()[1].rstrip(":")


def turn(carrier: Carrier, **figures: Any) -> dict[str, Any]:
    return {"server": carrier.server, "transport": carrier.transport, "round": 0, **figures}


def test_medians_are_compared_with_the_first_row() -> None:
    turns = [turn(FIRST, one=value) for value in (100.0, 900.0, 200.0)] + [turn(SECOND, one=50.0)]
    (_, [first]), (_, [second]) = rows(turns, [FIRST, SECOND], ["one"])
    assert (first, second) == ((200.0, 1.0), (50.0, 0.25))


def test_what_was_not_measured_is_no_figure() -> None:
    (_, [first]), (_, [second]) = rows([turn(SECOND, one=50.0)], [FIRST, SECOND], ["one"])
    assert (first, second) == (None, (50.0, None))


def test_one_that_failed_and_later_did_not_has_not_failed() -> None:
    assert failed([turn(FIRST, error="lost"), turn(FIRST, one=1.0)], SESSIONS) == []


def test_document_names_what_failed_with_the_reason() -> None:
    data = render.everything()
    found = data["mounts"]
    for one in found["turns"]:
        if one["server"] == "granian":
            one.pop("one", None)
            one["error"] = "granian: lost its way"
    text = render.rendered(data)[render.DOCUMENT]
    assert "- ASGI, granian: granian: lost its way\n" in text


def test_document_without_them_says_nothing_of_them() -> None:
    text = render.rendered(render.everything() | {"mounts": None})[render.DOCUMENT]
    assert "bench-mounts" not in text


def test_each_has_a_row_of_its_own() -> None:
    for carriers in (SESSIONS, BATCHES):
        assert len({carrier.title for carrier in carriers}) == len(carriers)
    assert {carrier.server for carrier in mounts.CARRIERS} == set(SERVERS)
