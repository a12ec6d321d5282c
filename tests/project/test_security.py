"""What docs/security.md says of limits is so."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from capnweb_runtime.core.budget import FEW
from capnweb_runtime.core.weight import work_of
from capnweb_runtime.driving import turns
from capnweb_runtime.limits import DEFAULT_LIMITS, DEFAULT_SERVER_LIMITS, Limits, ServerLimits
from capnweb_runtime.serving.bounds import LEAST_PER_ADDRESS, MOST_CONNECTIONS
from tests.project.sources import ROOT
from tests.runtime.example import Desk, DeskStub
from tests.runtime.pair import Side

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
MODEL = {"id": 1, "name": "Ada", "email": "ada@example.com", "score": 1.5, "active": True}


def lan() -> Limits:
    """The limits of the example, which runs."""
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "LAN" in block)
    names: dict[str, Any] = {"Front": Desk, "FrontStub": DeskStub}
    exec(code, names)
    limits = names["LAN"]
    assert isinstance(limits, Limits)
    return limits


def test_every_bound_is_listed_with_its_default() -> None:
    section = TEXT.partition("## Every bound")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+|none) \|", section, re.MULTILINE))
    defaults = {field.name: getattr(DEFAULT_LIMITS, field.name) for field in dataclasses.fields(Limits)}
    assert rows == {name: "none" if value is None else f"{value:,.0f}" for name, value in defaults.items()}


def test_every_bound_of_a_server_is_listed_with_its_default() -> None:
    section = TEXT.partition("## A server as a whole")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE))
    assert list(rows) == [field.name for field in dataclasses.fields(ServerLimits)]
    for name, said in rows.items():
        default = getattr(DEFAULT_SERVER_LIMITS, name)
        assert default is None or said.partition(", or")[0] == f"{default:,.0f}", name
    assert f"{MOST_CONNECTIONS:,} at most" in rows["connections"]
    assert f"or {LEAST_PER_ADDRESS}" in rows["connections_per_address"]
    assert f"fewer than {FEW} run" in section


async def test_the_server_of_the_example_starts() -> None:
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "ServerLimits" in block)
    names: dict[str, Any] = {"Front": Desk}
    exec(code, names)
    async with names["serving"] as server:
        assert server.stats().connections.most == 5_000


def test_the_turn_is_as_long_as_it_says() -> None:
    assert vars(turns)["TURN"] == 0.005
    assert "five milliseconds" in TEXT


@pytest.mark.parametrize(
    ("value", "work"),
    [
        ([[]] * 1600, 1600),
        ({str(number): [] for number in range(1600)}, 1600 * (1 + 1 / 2)),
        (["x"] * 1600, 1600 / 2),
        ([0] * 16_000, 16_000 / 8),
        ("x" * 102_400, 100),
    ],
    ids=["lists", "keys", "strings", "numbers", "text"],
)
def test_the_units_are_those_of_the_table(value: Any, work: float) -> None:
    text = json.dumps(value, separators=(",", ":")).encode()
    leaves = text.count(b",") / 8 if not isinstance(value, str) and 0 not in value else 0
    assert work_of(text, 10**9, 0) == pytest.approx(
        work + leaves + len(text) / 1024 * (not isinstance(value, str)), rel=0.05
    )


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ([MODEL] * 9_000, DEFAULT_LIMITS),
        ([0.123456789] * 300_000, DEFAULT_LIMITS),
        ("x" * 32_000_000, DEFAULT_LIMITS),
        ([MODEL] * 100_000, lan()),
        ([0.123456789] * 1_000_000, lan()),
    ],
    ids=["models", "numbers", "text", "a hundred thousand models", "a million numbers"],
)
def test_what_is_said_to_fit_into_a_message_does(value: Any, limits: Limits) -> None:
    side = Side(Desk(), limits)
    side.hear(json.dumps(["push", [value] if isinstance(value, list) else value], separators=(",", ":")))
    assert side.session.reason is None
