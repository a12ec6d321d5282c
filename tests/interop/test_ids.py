"""Ids that are no whole numbers, or too large, or of another type, in each kind of message and expression: what the npm
package answers to them is what this runtime answers, except where `DIFFERENCES` says how and why.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from tests.interop.node import program
from tests.needs import needs_node
from tests.runtime.pair import Side

pytestmark = needs_node

WHOLE = ["0", "1", "-1", "0.0", "1.0", "-0.0", "1e0", "2", "-7", "9007199254740992", "18446744073709551616", "1e308"]
FRACTIONS = ["0.5", "-1.5", "1e400", "-1e400"]
NO_NUMBERS = ["true", "false", '"0"', '"1"', '"-1"', '""', "null", "[]", "[0]", "{}"]
IDS = [*WHOLE, *FRACTIONS, *NO_NUMBERS]

LIST = '["push",["pipeline",0,["list"],[]]]'
SEE = '["push",["pipeline",0,["see"],[%s]]]'
CONVERSATIONS: dict[str, list[str]] = {
    "pull": [LIST, '["pull",%s]'],
    "release": [LIST, '["release",%s,1]'],
    "release, count": [LIST, LIST, '["release",1,%s]', '["pull",2]'],
    "resolve": ['["resolve",%s,1]'],
    "reject": ['["reject",%s,["error","Error","m"]]'],
    "abort": ['["abort",%s]'],
    "stream": ['["stream",["pipeline",%s,["see"],[7]]]'],
    "kind of a message": ["[%s,1]"],
    "kind of an expression": [SEE % "[%s,0]"],
    "pipeline": [LIST, '["push",["pipeline",%s,[]]]', '["pull",2]'],
    "pipeline, read": [LIST, '["push",["pipeline",%s,["x"]]]', '["pull",2]'],
    "pipeline, called": [LIST, '["push",["pipeline",%s,["see"],[]]]', '["pull",2]'],
    "pipeline, path": [LIST, '["push",["pipeline",1,[%s]]]', '["pull",2]'],
    "pipeline, argument": [LIST, SEE % '["pipeline",%s]', '["pull",2]'],
    "import": [LIST, SEE % '["import",%s]', '["pull",2]'],
    "export": [SEE % '["export",%s]', '["pull",1]'],
    "promise": [SEE % '["promise",%s]', '["resolve",-1,5]', '["pull",1]'],
    "writable": [SEE % '["writable",%s]', '["pull",1]'],
    "readable": ['["pipe"]', SEE % '["readable",%s]', '["pull",2]'],
    "remap": [LIST, '["push",["remap",%s,[],[],[1]]]', '["pull",2]'],
    "remap, captured import": [LIST, '["push",["remap",1,[],[["import",%s]],[1]]]', '["pull",2]'],
    "remap, captured export": [LIST, '["push",["remap",1,[],[["export",%s]],[1]]]', '["pull",2]'],
    "remap, variable": [LIST, '["push",["remap",1,[],[],[["pipeline",%s,["x"]],5]]]', '["pull",2]'],
    "remap, capture": [LIST, '["push",["remap",1,[],[["import",0]],[["pipeline",%s,["see"],[]],5]]]', '["pull",2]'],
}
OF_EXPORTS = ("export", "promise", "writable", "remap, captured export")
FRACTION = "an id is a whole number; the reference looks up whatever number it is"
POSITIVE = "what a peer exports has a negative id, and positive ones are those of our calls; the reference takes any"
NO_PROMISE = "a main object is no promise; the reference gives up its own reference to the peer's"
COUNT = "a peer gives back what it was given; the reference counts references up, or by a half"
DIFFERENCES: dict[tuple[str, str], str] = {
    **{(kind, number): FRACTION for kind in (*OF_EXPORTS, "resolve", "reject") for number in FRACTIONS},
    **{(kind, number): POSITIVE for kind in OF_EXPORTS for number in WHOLE if float(number) > 0},
    **{(kind, zero): NO_PROMISE for kind in ("resolve", "reject") for zero in ("0", "0.0", "-0.0")},
    **{("release, count", number): COUNT for number in ("-1", "-7", *FRACTIONS) if number != "1e400"},
}
"""Where this runtime ends the session, and the reference goes on."""


class Spec(rpc.Interface):
    see = rpc.method("see", rpc.STR, rpc.param("value", rpc.ANY, required=False))
    list = rpc.method("list", rpc.ANY)


class Target(rpc.RpcTarget, spec=Spec):
    def see(self, value: Any = None) -> str:
        return "seen"

    def list(self) -> Any:
        return [1, 2, 3]


def ours(conversation: list[str]) -> list[Any]:
    side = Side(Target())
    said: list[Any] = []
    for text in conversation:
        if not side.session.closed:
            said += map(json.loads, side.hear(text))
    return said


def outcome(said: list[Any]) -> list[Any]:
    """What was answered, without what is given back, the texts of aborts, and how numbers are spelled in others."""
    kept = ["abort" if message[0] == "abort" else message for message in said if message[0] != "release"]
    return json.loads(re.sub(r"(on exports table: )[^\"]+", r"\1...", json.dumps(kept)))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def conversations() -> dict[tuple[str, str], list[str]]:
    return {
        (kind, number): [text.replace("%s", number) for text in texts]
        for kind, texts in CONVERSATIONS.items()
        for number in IDS
    }


async def test_each_is_answered_as_the_reference_answers_it(conversations: dict[tuple[str, str], list[str]]) -> None:
    async with program("ids.mjs") as node:
        output, _ = await node.process.communicate(json.dumps([*conversations.values()]).encode())
    theirs = dict(zip(conversations, [[*map(json.loads, texts)] for texts in json.loads(output)], strict=True))
    differing = {}
    for case, conversation in conversations.items():
        mine, reference = outcome(ours(conversation)), outcome(theirs[case])
        if case in DIFFERENCES:
            assert mine == ["abort"], case
            assert reference != ["abort"], f"{case} is no difference"
        elif mine != reference:
            differing[case] = mine, reference
    assert not differing, "\n".join(f"{case}: {answers}" for case, answers in differing.items())
