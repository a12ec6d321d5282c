"""Rules of how often: what they are about, whose calls count together, and what is no rule."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection
from typing import Any

import pytest

from capnweb_runtime import CallInfo
from capnweb_runtime.scale.rate_limits import Per, RateLimit, RateLimits, address_of
from capnweb_runtime.scale.rate_rules import Rule
from capnweb_runtime.serving.peer import Peer, PeerHeaders


def call(name: str = "Search.find", principal: str | None = "ada", **more: Any) -> CallInfo:
    interface, _, method = name.partition(".")
    return CallInfo(interface, method, served=True, metadata={} if principal is None else {"user": principal}, **more)


def user(call: CallInfo) -> str | None:
    return call.metadata.get("user")


def key(rule: RateLimit, of: CallInfo) -> str | None:
    count = Rule(rule).count(of, user)
    return None if count is None else count.wanted.key


@pytest.mark.parametrize(
    ("per", "together"),
    [
        ("principal", [{"ada find", "ada count"}, {"bob find"}]),
        ("method", [{"ada find", "bob find"}, {"ada count"}]),
        (("principal", "method"), [{"ada find"}, {"ada count"}, {"bob find"}]),
        ((), [{"ada find", "ada count", "bob find"}]),
    ],
)
def test_what_has_a_count_of_its_own(per: Per | Collection[Per], together: list[set[str]]) -> None:
    rule = RateLimit("10/minute", per=per)
    found: dict[str | None, set[str]] = {}
    for who, what in (("ada", "find"), ("ada", "count"), ("bob", "find")):
        found.setdefault(key(rule, call(f"Search.{what}", who)), set()).add(f"{who} {what}")
    assert [*found.values()] == together


def test_a_rule_is_about_the_methods_that_it_names() -> None:
    rule = RateLimit("10/minute", methods=["Search.find", "Shop.*"])
    about = [name for name in ("Search.find", "Search.count", "Shop.buy", "Shopping.buy") if key(rule, call(name))]
    assert about == ["Search.find", "Shop.buy"]


def test_rules_that_say_the_same_of_other_methods_count_apart() -> None:
    rules = [RateLimit("10/minute"), *(RateLimit("10/minute", methods=[f"Search.{name}"]) for name in ("find", "*"))]
    assert len({key(rule, call()) for rule in rules}) == 3
    assert key(RateLimit("10/minute", methods=["A.a", "Search.find"]), call()) == key(
        RateLimit("10/minute", methods=["Search.find", "A.a"]), call()
    )


def test_rules_that_would_count_together_are_refused() -> None:
    rules = [RateLimit("10/minute"), RateLimit("10/minute", weight=3), RateLimit("10 per 60 seconds", weight=3)]
    RateLimits([rules[0], rules[2], RateLimit("10/minute", per=())])
    with pytest.raises(ValueError, match="two rules have the same rate, methods and per="):
        RateLimits(rules)


def test_no_principal_is_taken_for_another() -> None:
    assert key(RateLimit("10/minute"), call(principal="*")) != key(RateLimit("10/minute", per=()), call())
    both = RateLimit("10/minute", per=("principal", "method"))
    names = ["a", "a/b", "b", "A", "a%2Fb", "*", "ä", "x" * 100, "x" * 101, "x" * 102, None]
    keys = [key(both, call(principal=name)) for name in names]
    assert len(set(keys)) == len(names)
    assert all(len(one or "") < 500 for one in keys)
    digest = (keys[9] or "").split("=")[1].split("/")[0]
    assert key(both, call(principal=digest)) not in keys, "a name that is the digest of another"


@pytest.mark.parametrize(
    ("weight", "counted"),
    [
        (1, [1, 1]),
        (5, [5, 5]),
        ({"Search.find": 3}, [3, 1]),
        ({"Search.find": 0}, [0, 1]),
        (lambda call: len(call.arguments), [2, 2]),
    ],
)
def test_a_call_counts_for_its_weight(weight: Any, counted: list[int]) -> None:
    rule = RateLimit("10/minute", weight=weight)
    calls = [call(f"Search.{name}", arguments=["a", "b"]) for name in ("find", "count")]
    assert [rule.weight_of(one) for one in calls] == counted


def test_no_call_counts_for_less_than_nothing() -> None:
    with pytest.raises(ValueError, match=r"Search\.find was given the weight -1"):
        RateLimit("10/minute", weight=lambda call: -1).weight_of(call())


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ("often", "couldn't parse"),
        ("", "couldn't parse"),
        ("10/second; 100/minute", "2 rates: make a rule of each"),
        ("10001/day", "600/minute in place of 864000/day"),
    ],
)
def test_what_is_no_rate_is_refused_when_it_is_written(rate: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RateLimit(rate)


@pytest.mark.parametrize("names", [["find"], ["Search."], [".find"], ["Search.find()"], ["*"], "Search.find"])
def test_what_names_no_method_is_refused_when_it_is_written(names: Any) -> None:
    with pytest.raises(ValueError, match="name"):
        RateLimit("10/minute", methods=names)


def test_what_nothing_is_counted_per_is_refused_when_it_is_written() -> None:
    per: Any = "session"
    with pytest.raises(ValueError, match="nothing is counted per session"):
        RateLimit("10/minute", per=per)


@pytest.mark.parametrize(
    ("address", "principal"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a name", "a name"),
    ],
)
def test_by_default_a_caller_is_an_address(address: str, principal: str) -> None:
    peer = Peer(PeerHeaders(), (address, 1), "/", "", "websocket")
    assert address_of(call(peer=peer)) == principal


def test_who_has_no_address_is_nobody() -> None:
    assert address_of(call(peer=None)) is None
    assert address_of(call(peer=Peer(PeerHeaders(), None, "/", "", "websocket"))) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nats://127.0.0.1", "calls are not counted in NATS"),
        ("tls://127.0.0.1", "have a Redis for it"),
        ("memcached://127.0.0.1", "calls cannot be counted at 'memcached': use memory: or redis://"),
        ("localhost", "calls cannot be counted at 'localhost'"),
    ],
)
def test_where_nothing_is_counted_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RateLimits([], url)


def test_an_application_has_a_name() -> None:
    with pytest.raises(ValueError, match="cannot name an application"):
        RateLimits([], name="a:b")


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("limits", "scale.rate_limits needs limits: pip install 'capnweb-gen[limits]'"),
        ("redis", "counting at redis:// needs redis: pip install 'capnweb-gen[redis]'"),
    ],
)
def test_who_lacks_a_library_is_told_how_to_get_it(library: str, said: str) -> None:
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {library!r}:
            raise ModuleNotFoundError(name, name={library!r})
sys.meta_path.insert(0, Missing())
try:
    from capnweb_runtime.scale.rate_limits import RateLimits
    RateLimits([], "memory:")
    RateLimits([], "redis://127.0.0.1:1")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"{said}\n"
