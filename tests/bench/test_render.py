"""docs/performance.md is what the results and the template say, and says what could not be measured."""

from __future__ import annotations

import copy
from typing import Any

from tests.bench import render
from tests.bench.render import DOCUMENT, FOLDER, rendered, stale


def committed() -> dict[str, Any]:
    return render.everything()


def document(data: dict[str, Any]) -> str:
    return rendered(data)[DOCUMENT]


def test_committed_document_and_plots_are_what_the_committed_results_say() -> None:
    assert stale(committed()) == [], "run: python -m tests.bench.render"


def test_document_that_differs_or_a_plot_that_is_left_over_is_stale() -> None:
    data = committed()
    data["growth"] = [point for point in data["growth"] if point["what"] != "busy"]
    assert {DOCUMENT, FOLDER / "busy.svg"} <= set(stale(data))


def test_same_results_give_the_same_text() -> None:
    assert rendered(committed()) == rendered(copy.deepcopy(committed()))


def test_missing_peer_is_named() -> None:
    data = committed()
    data["turns"] = [turn for turn in data["turns"] if turn["contender"] != "rpyc"]
    data["absent"] = {"rpyc": "not installed: no such version"}
    text = document(data)
    assert "- rpyc could not be installed when this was measured.\n" in text
    assert "no such version" not in text  # nor what a machine said, which may have been without a network
    assert text.count("| not installed |") == 6  # one for each of its workloads in the table


def test_peer_that_failed_is_named_with_the_reason_and_the_rest_stands() -> None:
    data = committed()
    for turn in data["turns"]:
        if (turn["contender"], turn["workload"]) == ("pycapnp", "c"):
            del turn["rate"]
            turn["error"] = "the client: lost its way"
    text = document(data)
    assert "- pycapnp, c: the client: lost its way\n" in text
    assert "failed" in next(
        line for line in text.splitlines() if line.startswith("| c, chains/s | ") and "failed" in line
    )


def test_nothing_measured_still_gives_a_document() -> None:
    data = committed()
    data |= {"turns": [], "growth": [], "cold": {}, "compile": [], "absent": {}, "scale": None}
    files = rendered(data)
    assert list(files) == [DOCUMENT]
    assert "| a | `add`, one in flight | – | – | – calls/s | – | – | 1.20 |  |" in files[DOCUMENT]


def test_every_plot_is_shown_and_small() -> None:
    files = rendered(committed())
    text = files.pop(DOCUMENT)
    assert len(files) > 5
    for path, svg in files.items():
        assert f"(performance/{path.name})" in text
        assert len(svg) < 20_000


def test_ratio_below_the_target_is_said_to_be_missed() -> None:
    data = committed()
    for turn in data["turns"]:
        if turn["workload"] == "a" and "rate" in turn:
            turn["rate"] = 10.0 if turn["contender"] == "npm" else 9.0
    row = next(line for line in document(data).splitlines() if line.startswith("| a |"))
    assert "**0.90**" in row
    assert row.endswith("| missed |")


def test_starts_stand_beside_the_npm_package_s_where_it_was_started() -> None:
    times = {"ours": [30.0, 20.0, 10.0], "npm capnweb": [8.0]}
    assert render.cold(times) == [
        {"name": "ours", "median": "20", "least": "10", "multiple": "2.50"},
        {"name": "npm capnweb", "median": "8", "least": "8", "multiple": "1.00"},
    ]
    assert [row["multiple"] for row in render.cold({"ours": [30.0], "npm capnweb": []})] == ["–"]


def test_amounts_have_as_many_digits_as_matter() -> None:
    assert [render.amount(value) for value in (None, 1234.5, 100.0, 9.94)] == ["–", "1,234", "100", "9.9"]
