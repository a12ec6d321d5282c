"""Charts put values where they belong, write numbers as people read them, and are the same text every time."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.bench.chart import COLOURS, HEIGHT, WIDTH, Axis, Series, bars, lines, number, scale

CURVE = Series("ours & theirs", [(1, 10.0), (10, 20.0), (100, 40.0)], 1)


def marks(svg: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)]


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis() -> None:
    svg = lines("title", Axis("x", log=True), Axis("y"), [CURVE])
    (first, _), (second, _), (third, _) = marks(svg)
    assert second - first == pytest.approx(third - second, abs=0.2)


def test_larger_values_stand_higher() -> None:
    heights = [y for _, y in marks(lines("title", Axis("x", log=True), Axis("y"), [CURVE]))]
    assert heights == sorted(heights, reverse=True)
    assert all(0 < y < HEIGHT for y in heights)


def test_linear_axis_begins_at_zero_and_ends_at_a_round_number() -> None:
    axis = scale(Axis("y"), [310, 870], 400, 0)
    assert axis.ticks == (0, 200, 400, 600, 800, 1000)
    assert axis(0) == 400
    assert axis(1000) == 0


def test_logarithmic_axis_begins_and_ends_at_a_number_that_it_shows() -> None:
    for values in ([3.0, 8.0], [0.3, 900.0], [7.0, 70.0]):
        axis = scale(Axis("y", log=True), values, 400, 0)
        assert axis.low == pytest.approx(axis.ticks[0])
        assert axis.high == pytest.approx(axis.ticks[-1])
        assert axis.low < min(values) < max(values) < axis.high


def test_axis_of_one_value_has_room_for_it() -> None:
    for axis in (Axis("y"), Axis("y", log=True)):
        placed = scale(axis, [5.0, 5.0], 400, 0)(5.0)
        assert 0 <= placed <= 400


def test_bars_have_their_values_and_stand_on_the_axis() -> None:
    svg = bars("title", ["a", "b"], Axis("y"), [Series("ours", [(0, 2.0), (1, 1.0)], 0)], at=1.0)
    rectangles = re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg)
    assert len({float(y) + float(height) for y, height in rectangles}) == 1
    assert float(rectangles[0][1]) == pytest.approx(2 * float(rectangles[1][1]), abs=0.2)
    assert ">2</text>" in svg


def test_bars_below_zero_hang_from_it() -> None:
    svg = bars("title", ["a", "b"], Axis("y"), [Series("ours", [(0, 2.0), (1, -1.0)], 0)])
    (above, height), (below, _) = re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg)
    assert float(above) + float(height) == pytest.approx(float(below), abs=0.2)


def test_group_without_a_value_has_no_bar() -> None:
    svg = bars("title", ["a", "b"], Axis("y"), [Series("ours", [(1, 1.0)], 0)])
    assert svg.count("<rect") == 1


def test_text_is_escaped_and_the_drawing_well_formed() -> None:
    svg = lines("<title>", Axis("x", log=True), Axis("y"), [CURVE])
    root = ElementTree.fromstring(svg)
    assert root.attrib["viewBox"] == f"0 0 {WIDTH} {HEIGHT}"
    assert "ours &amp; theirs" in svg


def test_same_series_gives_the_same_text_in_its_own_colour() -> None:
    first, second = (lines("title", Axis("x"), Axis("y"), [CURVE]) for _ in range(2))
    assert first == second
    assert COLOURS[1] in first
    assert COLOURS[0] not in first
    assert "prefers-color-scheme:dark" in first


def test_long_legend_takes_a_second_row() -> None:
    names = [Series(f"a rather long name, number {i}", [(1, 1.0), (2, 2.0)]) for i in range(5)]
    one, five = (lines("title", Axis("x"), Axis("y"), series) for series in (names[:1], names))
    assert min(y for _, y in marks(five)) > min(y for _, y in marks(one))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (9.999, "10"),
        (12.34, "12.3"),
        (999.7, "1k"),
        (1500, "1.5k"),
        (10_000, "10k"),
        (2_000_000, "2M"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text
