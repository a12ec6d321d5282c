"""What a project lets break, and why.

Rule: each entry carries its reason, and one that lets nothing break is told, so that none outlives what it was for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from capnweb_gen.evolution.findings import Finding
from capnweb_gen.evolution.rules import BY_ID


class Allowed(BaseModel):
    """An entry of [[tool.capnweb-gen.breaking.allow]] in pyproject.toml.

    Attributes:
        rule: the id of a rule.
        path: what was changed, as messages say it; `*` stands for any text.
        reason: why that is right.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rule: str
    path: str
    reason: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether it lets a change be."""
        return finding.rule.id == self.rule and fnmatchcase(finding.path, self.path)


class Breaking(BaseModel):
    """[tool.capnweb-gen.breaking] in pyproject.toml."""

    model_config = ConfigDict(extra="forbid", strict=True)

    allow: list[Allowed] = Field(default_factory=list[Allowed])


@dataclass(frozen=True)
class Judged:
    """What was found, and what is let be.

    Attributes:
        left: the findings that nothing lets be.
        allowed: the others, with what does.
        faults: what is wrong with the entries, and a hint each.
    """

    left: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, Allowed], ...]
    faults: tuple[tuple[Allowed, str, str], ...]


def judge(findings: Sequence[Finding], entries: Sequence[Allowed]) -> Judged:
    """Take out what a project lets be.

    Args:
        findings: what was found and would be told.
        entries: what the project says.
    """
    sound = [entry for entry in entries if entry.rule in BY_ID and entry.reason.strip()]
    left: list[Finding] = []
    allowed: list[tuple[Finding, Allowed]] = []
    for finding in findings:
        entry = next((one for one in sound if one.covers(finding)), None)
        if entry is None:
            left.append(finding)
        else:
            allowed.append((finding, entry))
    used = {id(entry) for entry in sound for finding in findings if entry.covers(finding)}
    faults: list[tuple[Allowed, str, str]] = []
    for entry in entries:
        named = f"the entry for {entry.rule} at {entry.path}"
        if entry.rule not in BY_ID:
            faults.append((entry, f"there is no rule {entry.rule!r}", "docs/evolution.md lists them"))
        elif not entry.reason.strip():
            faults.append((entry, f"{named} has no reason", 'say why in it: reason = "..."'))
        elif id(entry) not in used:
            faults.append((entry, f"{named} lets nothing break", "remove it"))
    return Judged(tuple(left), tuple(allowed), tuple(faults))
