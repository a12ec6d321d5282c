"""Charts as SVG: lines over two axes, and bars beside each other. Rule: deterministic text, a few kilobytes, legible in
light and dark mode; everything that varies is a parameter, everything that does not is a constant here.

Written by hand because what is needed is little, and a plotting library would be the largest dependency of development.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 64, 52
LINE_HEIGHT = 18
MANY_DECADES = 2.5  # from here on, a logarithmic axis has room for powers of ten only
# Told apart by hue and by lightness, and with enough contrast against white and against black.
COLOURS = ("#2f6fde", "#d9742b", "#2a9d78", "#a04fc0", "#8a8d93", "#c2455f")
STYLE = (
    "svg{font:12px system-ui,sans-serif;background:#fff}"
    "text{fill:#57606a}.title{font-size:15px;font-weight:600;fill:#1f2328}.value{font-size:11px}"
    ".grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#8c959f;stroke-width:1}"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.mark{stroke:#fff;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#9198a1}.title{fill:#f0f6fc}"
    ".grid{stroke:#262c36}.axis{stroke:#656c76}.mark{stroke:#0d1117}}"
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour.

    Attributes:
        name: what the legend says.
        points: where it passes; for bars, x is the index of the group.
        colour: which of the colours; series of one kind share it between charts.
        dashed: whether the line is dashed.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        label: what is measured, with its unit.
        log: whether equal distances are equal factors.
        ticks: where to write numbers; by default, at round ones.
        zero: whether a linear axis begins at zero.
    """

    label: str
    log: bool = False
    ticks: Sequence[float] = ()
    zero: bool = True


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values lie between two pixels."""

    axis: Axis
    low: float
    high: float
    begin: float
    end: float
    ticks: tuple[float, ...] = field(default=())

    def __call__(self, value: float) -> float:
        low, high, value = (math.log10(v) if self.axis.log else v for v in (self.low, self.high, value))
        return self.begin + (value - low) / (high - low) * (self.end - self.begin)


def scale(axis: Axis, values: Iterable[float], begin: float, end: float) -> Scale:
    """A scale that has room for the values."""
    known = [*values, *axis.ticks] or [1.0]
    low, high = min(known), max(known)
    if axis.log:
        if axis.ticks:
            low, high = low / 1.25, high * 1.25
        else:
            low = max(number for number in _round_numbers(low) if number < low)
            high = min(number for number in _round_numbers(high) if number > high)
            if math.log10(high / low) >= MANY_DECADES:
                low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        return Scale(axis, low, high, begin, end, tuple(axis.ticks or _log_ticks(low, high)))
    if axis.zero:
        low = min(low, 0.0)
    if high == low:
        high = low + 1
    step = _round_step((high - low) / 5)
    high = math.ceil(high / step) * step
    low = math.floor(low / step) * step
    ticks = axis.ticks or [low + step * i for i in range(round((high - low) / step) + 1)]
    return Scale(axis, low, high, begin, end, tuple(ticks))


def _round_numbers(value: float) -> list[float]:
    """The numbers 1, 2 and 5 of the decades around a value, in order."""
    exponent = math.floor(math.log10(value))
    return [digit * 10.0**power for power in range(exponent - 1, exponent + 2) for digit in (1, 2, 5)]


def _log_ticks(low: float, high: float) -> list[float]:
    digits = (1,) if math.log10(high / low) >= MANY_DECADES else (1, 2, 5)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**exponent for exponent in exponents for digit in digits]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * digit for digit in (1, 2, 2.5, 5, 10) if step <= power * digit * 1.000001)


def number(value: float) -> str:
    """A number as people read it: three digits, thousands and millions by letter."""
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit * 0.9995:
            return _short(value / limit) + letter
    return _short(value)


def _short(value: float) -> str:
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def lines(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """A chart of lines through points."""
    drawing = _Drawing(title, series)
    across = scale(x, [point[0] for one in series for point in one.points], LEFT, WIDTH - RIGHT)
    up = scale(y, [point[1] for one in series for point in one.points], HEIGHT - BOTTOM, drawing.top)
    drawing.vertical_axis(up)
    for tick in across.ticks:
        drawing.text(across(tick), HEIGHT - BOTTOM + LINE_HEIGHT, number(tick), "middle")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x.label, "middle")
    for one in series:
        drawing.line([(across(a), up(b)) for a, b in one.points], one)
    return drawing.svg()


def bars(title: str, groups: Sequence[str], y: Axis, series: Sequence[Series], at: float | None = None) -> str:
    """A chart of bars in groups, each with its value.

    Parameters:
        title: its title.
        groups: what stands below each group.
        y: the vertical axis.
        series: the bars of each colour.
        at: a value to draw a line at, to compare with.
    """
    drawing = _Drawing(title, series)
    values = [point[1] for one in series for point in one.points]
    up = scale(y, values if at is None else [*values, at], HEIGHT - BOTTOM, drawing.top + 8)
    drawing.vertical_axis(up)
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    width = min(48.0, room * 0.8 / len(series))
    for index, group in enumerate(groups):
        middle = LEFT + room * (index + 0.5)
        drawing.text(middle, HEIGHT - BOTTOM + LINE_HEIGHT, group, "middle")
        for place, one in enumerate(series):
            left = middle + (place - len(series) / 2) * width
            for _, value in [point for point in one.points if point[0] == index]:
                ends = sorted([up(value), up(up.low if y.log else 0.0)])
                drawing.bar(left + 1, ends[0], width - 2, ends[1], value, one)
    if at is not None:
        drawing.rule(up(at))
    return drawing.svg()


class _Drawing:
    """The parts of a chart, in the order in which they are painted."""

    def __init__(self, title: str, series: Sequence[Series]) -> None:
        self._title = title
        self._parts: list[str] = []
        self.top = float(TOP)
        self._parts.append(f'<text class="title" x="16" y="26">{escape(title)}</text>')
        left = 16.0
        for one in series:
            if left + 30 + 6.6 * len(one.name) > WIDTH - 8:
                left = 16.0
                self.top += LINE_HEIGHT
            line = self.top - 18
            dash = ' stroke-dasharray="5 3"' if one.dashed else ""
            self._parts.append(
                f'<path d="M{_px(left)} {_px(line)}h20" stroke="{COLOURS[one.colour]}" stroke-width="3"{dash}/>'
            )
            self.text(left + 26, line + 4, one.name)
            left += 44 + 6.6 * len(one.name)

    def text(self, x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> None:
        kind = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text{kind} x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}">{escape(text)}</text>')

    def vertical_axis(self, up: Scale) -> None:
        """Numbers at the left, a line through the chart at each, and the label above them."""
        for tick in up.ticks:
            y = up(tick)
            kind = "axis" if tick == up.ticks[0] else "grid"
            self._parts.append(f'<path class="{kind}" d="M{LEFT} {_px(y)}H{WIDTH - RIGHT}"/>')
            self.text(LEFT - 8, y + 4, number(tick), "end")
        self.text(WIDTH - RIGHT, 26, up.axis.label, "end")

    def line(self, points: Sequence[tuple[float, float]], series: Series) -> None:
        if not points:
            return
        colour = COLOURS[series.colour]
        path = "L".join(f"{_px(x)} {_px(y)}" for x, y in points)
        dash = ' stroke-dasharray="5 3"' if series.dashed else ""
        self._parts.append(f'<path class="line" d="M{path}" stroke="{colour}"{dash}/>')
        self._parts += [f'<circle class="mark" cx="{_px(x)}" cy="{_px(y)}" r="4" fill="{colour}"/>' for x, y in points]

    def bar(self, left: float, top: float, width: float, bottom: float, value: float, series: Series) -> None:
        height = max(1.0, bottom - top)
        self._parts.append(
            f'<rect x="{_px(left)}" y="{_px(bottom - height)}" width="{_px(width)}" height="{_px(height)}" rx="2" '
            f'fill="{COLOURS[series.colour]}"/>'
        )
        self.text(left + width / 2, bottom - height - 4, number(value), "middle", "value")

    def rule(self, y: float) -> None:
        self._parts.append(f'<path class="axis" d="M{LEFT} {_px(y)}H{WIDTH - RIGHT}" stroke-dasharray="2 3"/>')

    def svg(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" role="img" aria-label="{escape(self._title)}">'
        )
        return "\n".join([head, f"<style>{STYLE}</style>", *self._parts, "</svg>", ""])


def _px(value: float) -> str:
    """A coordinate; a tenth of a pixel is enough."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
