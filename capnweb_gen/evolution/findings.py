"""What has changed, one by one.

Rule: a change is told once, where it was made, however many ways lead there; what it does is the worst that it does
anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from capnweb_gen.evolution.effects import Effects
from capnweb_gen.evolution.rules import BY_ID, Rule
from capnweb_gen.evolution.sides import Place


@dataclass(frozen=True)
class Finding:
    """One change.

    Attributes:
        rule: its kind.
        path: what was changed: `Interface.member.parameter`, `Model.field`.
        message: what was changed about it.
        effects: what that does.
        at: where it stands now, or what it was part of, if it is gone.
        was: where it stood, or what it is part of now, if it is new; None if there was nothing.
    """

    rule: Rule
    path: str
    message: str
    effects: Effects
    at: Place
    was: Place | None


@dataclass(frozen=True)
class Where:
    """Of what a comparison is.

    Attributes:
        path: as of a finding.
        at: where it stands now.
        was: where it stood.
        up: whether values go from clients to servers.
        under: the rule that whatever is found here belongs to; empty for those that say it more closely.
    """

    path: str
    at: Place
    was: Place | None
    up: bool
    under: str = ""


class Findings:
    """Collects what is found."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}

    def add(self, rule: str, where: Where, message: str, effects: Effects | None = None) -> None:
        """Tell of a change.

        Args:
            rule: the id of its kind.
            where: where it was made.
            message: what has changed.
            effects: what it does; if left out, what its kind does as a rule.
        """
        known = BY_ID[where.under or rule]
        effects = BY_ID[rule].effects if effects is None else effects
        key = known.id, where.path
        before = self._found.get(key)
        if before is None:
            self._found[key] = Finding(known, where.path, message, effects, where.at, where.was)
        else:
            self._found[key] = replace(before, effects=before.effects.joined(effects))

    def in_order(self) -> tuple[Finding, ...]:
        """All of them, by where they stand now."""
        return tuple(
            sorted(
                self._found.values(),
                key=lambda one: (one.at.path, one.at.line, one.at.column, one.path, one.rule.id),
            )
        )
