"""What may be called how often, and whose calls count together. Rule: what a peer may choose, such as a name, can never
be taken for another one's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from limits import RateLimitItem, parse_many

from capnweb_runtime.driving.interceptors import CallInfo
from capnweb_runtime.scale.windows import Wanted

Per: TypeAlias = Literal["principal", "method"]
"""What has a count of its own: each principal, or each method; see `RateLimit.per`."""
Weight: TypeAlias = int | Mapping[str, int] | Callable[[CallInfo], int]
Principal: TypeAlias = Callable[[CallInfo], str | None]

MOST: Final = 10_000
"""Calls that a window may hold, since each of them is kept."""
_LONGEST: Final = 100
"""Characters of a name that stand in a key as they are."""
_NETWORK: Final = 64
"""Bits of an IPv6 address that are a subscriber's; of the others each has as many as it likes."""


@dataclass(frozen=True)
class RateLimit:
    """One rule of `RateLimits`: how many calls are let in within some time.

    Attributes:
        rate: number of calls, and a time: "100/minute" or "20 per 10 seconds". No more are let in within any stretch of
            that time. At most 10,000 calls.
        per: what has a count of its own: "principal" (each caller), "method" (each method), or both; an empty tuple has
            one count for all. Default "principal".
        methods: names of the methods that the rule applies to: "Search.find", or "Search.*" for all methods of an
            interface. Default all methods.
        weight: how many calls one call counts for: a number; a dict of numbers by name of the method, in which others
            count for 1; or a function of the call. 0 does not count. Default 1.
        unavailable: what happens to a call that cannot be counted, since the engine does not answer: "admit" runs it,
            "refuse" refuses it. Default "admit", so that the service does not depend on the engine.

    Raises:
        ValueError: `rate` is not understood, is several rates, or is of more than 10,000 calls; `methods` is a string,
            or has something that is no name of a method; `per` has something else.
    """

    rate: str
    per: Per | Collection[Per] = "principal"
    methods: Collection[str] = ()
    weight: Weight = 1
    unavailable: Literal["admit", "refuse"] = "admit"

    def __post_init__(self) -> None:
        item_of(self.rate)
        if isinstance(self.methods, str):
            raise ValueError(f"methods takes several names, as in methods=[{self.methods!r}]")
        for name in self.methods:
            interface, dot, method = name.partition(".")
            if not (dot and interface.isidentifier() and (method == "*" or method.isidentifier())):
                raise ValueError(
                    f"{name!r} names no method: write 'Search.find', or 'Search.*' for all of an interface"
                )
        if unknown := _parts(self.per) - {"principal", "method"}:
            raise ValueError(f"nothing is counted per {', '.join(sorted(unknown))}: per principal, per method, or both")

    def weight_of(self, call: CallInfo) -> int:
        """Tells how many calls a call counts for by this rule.

        Parameters:
            call: the call.

        Returns:
            The weight; 0 if the rule does not apply to the call.

        Raises:
            ValueError: `weight` gives a negative number.
        """
        if self.methods and call.name not in self.methods and f"{call.interface}.*" not in self.methods:
            return 0
        weight = self.weight.get(call.name, 1) if isinstance(self.weight, Mapping) else self.weight
        found = weight if isinstance(weight, int) else weight(call)
        if found < 0:
            raise ValueError(f"{call.name} was given the weight {found}: a call counts for 0 or more")
        return found


@dataclass(frozen=True, slots=True)
class Count:
    """What one call takes of what one rule allows.

    Attributes:
        rule: the rule.
        wanted: whose count it is, and how much.
    """

    rule: RateLimit
    wanted: Wanted


class Rule:
    """A rule at work.

    Parameters:
        rule: what it says.

    Attributes:
        counts: what its counts are called; rules that have the same would count together.
    """

    def __init__(self, rule: RateLimit) -> None:
        self._rule = rule
        self._item = item_of(rule.rate)
        self._per = _parts(rule.per)
        self._what = _named(",".join(sorted(rule.methods)) or "*")
        self.counts = self._item.key_for(self._what, *sorted(self._per))

    def count(self, call: CallInfo, principal: Principal) -> Count | None:
        """What a call takes; None if it takes nothing."""
        weight = self._rule.weight_of(call)
        if weight == 0:
            return None
        which = _named(call.name) if "method" in self._per else "*"
        whose = f"={_named(principal(call) or '')}" if "principal" in self._per else "*"
        key = self._item.key_for(self._what, which, whose)
        return Count(self._rule, Wanted(key, self._item.amount, self._item.get_expiry(), weight))


def item_of(rate: str) -> RateLimitItem:
    """A rate, as `limits` has it. Raises ValueError if it is none that can be kept."""
    items = parse_many(rate)
    if len(items) != 1:
        raise ValueError(f"{rate!r} is {len(items)} rates: make a rule of each")
    if items[0].amount > MOST:
        raise ValueError(
            f"{rate!r} is more than {MOST:,} calls, each of which is kept: give a rate over a shorter time, "
            "such as 600/minute in place of 864000/day"
        )
    return items[0]


def address_of(call: CallInfo) -> str | None:
    """Tells who calls by the IP address of the peer: the default of `RateLimits(principal=...)`.

    Parameters:
        call: the call that is counted.

    Returns:
        The address; for IPv6 its network of 64 bits, since one subscriber has a whole network. None if the peer has no
        address.
    """
    address: tuple[str, int] | None = getattr(call.peer, "address", None)
    if address is None:
        return None
    try:
        known = ip_address(address[0])
    except ValueError:
        return address[0]
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((int(known), _NETWORK), strict=False))
    return str(known.ipv4_mapped or known) if isinstance(known, IPv6Address) else str(known)


def _parts(per: Per | Collection[Per]) -> set[str]:
    return {per} if isinstance(per, str) else set(per)


def _named(name: str) -> str:
    """A name in a key: quoted, and a long one as its digest, whose colon no quoted name has."""
    return quote(name, safe="*,") if len(name) <= _LONGEST else f":{blake2b(name.encode(), digest_size=16).hexdigest()}"
