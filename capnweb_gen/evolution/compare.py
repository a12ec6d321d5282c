"""All schemas of then, and all of now.

Rule: it begins where sessions begin, with what servers serve, and goes wherever types lead. What nothing leads to is
taken for something that a server serves, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from capnweb_gen import ir
from capnweb_gen.evolution.findings import Finding, Findings, Where
from capnweb_gen.evolution.members import MemberComparison
from capnweb_gen.evolution.models import ModelComparison
from capnweb_gen.evolution.sides import Place, Side, paired, place_of_interface
from capnweb_gen.evolution.types import Types
from capnweb_gen.evolution.work import Functions, Interfaces, Models, Work

_Pairs = Mapping[ir.Reference, ir.Reference]


def compare(old: tuple[ir.Schema, ...], new: tuple[ir.Schema, ...]) -> tuple[Finding, ...]:
    """What has changed from one version of some schemas to another.

    Args:
        old: the schemas of then, sound.
        new: those of now, sound.

    Returns:
        Each change once, by where it stands now. What does not travel and nobody has to edit anything for is left out.
    """
    before, after = Side(old), Side(new)
    pairs = paired(before, after)
    findings, work = Findings(), Work()
    types = Types(before, after, pairs, findings, work)
    members = MemberComparison(before, after, types, findings)
    named = before.named | after.named
    for led_to in (False, True):  # first those that sessions begin with
        for one, other in pairs.items():
            if (one in named) is led_to and not work.has_seen(before.interfaces[one].node):
                work.add(Interfaces(before.interfaces[one], after.interfaces[other], by_clients=False))
            _run(work, types, members, findings)
    _tell_of_names(before, after, pairs, findings)
    _tell_of_missing(before, after, pairs, findings)
    return findings.in_order()


def _run(work: Work, types: Types, members: MemberComparison, findings: Findings) -> None:
    while (pair := work.next()) is not None:
        match pair:
            case Models():
                ModelComparison(pair, types, findings).run()
            case Interfaces():
                members.interfaces(pair)
            case Functions():
                members.functions(pair)


def _tell_of_names(before: Side, after: Side, pairs: _Pairs, findings: Findings) -> None:
    for one, other in pairs.items():
        if one != other:
            at = place_of_interface(after.interfaces[other], f"class {other.name}")
            was = place_of_interface(before.interfaces[one], f"class {one.name}")
            message = f"{one.module}.{one.name} is {other.module}.{other.name} now"
            findings.add("declaration-renamed", Where(other.name, at, was, up=False), message)


def _tell_of_missing(before: Side, after: Side, pairs: _Pairs, findings: Findings) -> None:
    """Interfaces that sessions may have begun with. Where others led to one, that is told there."""
    missing = [reference for reference in before.interfaces if reference not in pairs]
    for reference in missing:
        interface = before.interfaces[reference]
        if interface.node.generic is None and not before.is_given(reference):
            was = place_of_interface(interface, f"class {reference.name}")
            home = after.peers.get(reference.module)
            at = Place(home.path, 1, 1) if home is not None else was
            message = f"the interface {reference.module}.{reference.name} was removed"
            findings.add("member-removed", Where(reference.name, at, was, up=False), message)
