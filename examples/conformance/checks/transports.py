"""WebSocket frames and HTTP batches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from capnweb_runtime import connect
from examples.conformance.checks.base import CHECKS, Check, Ground, aborts, call, check, equal, failure, read, true
from examples.conformance.generated.conformance import ConformanceApiStub

LARGEST = 32 * 1024 * 1024
"""Longest message that a session reads, in UTF-16 units."""

aborts("a binary frame aborts", 44, frames=[b'["push",["pipeline",0,["version"]]]'], kind=None)


@check("messages are text frames, one message each", 44)
async def text_frames(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("square", 2)], ["pull", 1], ["push", call("square", 3)], ["pull", 2])
    equal([json.loads(await wire.text() or "") for _ in range(2)], [["resolve", 1, 4], ["resolve", 2, 9]])


@check("a long reason for the close is cut at a character", 44)
async def long_reason(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", ["what", "\u00e9" * 200]])
    message = await wire.next()
    equal(message[0], "abort")
    code, reason = await wire.closed()
    equal(code, 3000)
    true(len(reason.encode()) in (122, 123), f"it is {reason!r}")  # the characters have two bytes each
    true(message[1][2].startswith(reason), f"it is {reason!r}")


@check("a message of more than 32 Mi characters is refused", 44)
async def too_long(ground: Ground) -> None:
    wire = await ground.wire()
    with contextlib.suppress(Exception):  # the server may hang up before all of it is written
        await wire.raw('["push",["pipeline",0,["kindOf"],["' + "x" * LARGEST + '"]]]')
    code, _ = await wire.closed()
    true(code in (1009, 3000), f"the code is {code}")
    equal(await ground.ask(lambda api: api.square(2)), 4)


@check("every path is served", 44)
async def every_path(ground: Ground) -> None:
    for path in ("", "some/where", "a?b=c"):
        ws, http = ground.ws.rstrip("/") + "/" + path, ground.http.rstrip("/") + "/" + path
        other = Ground(ws, http, webtransport=ground.webtransport, insecure=ground.insecure)
        equal(await other.ask(lambda api: api.version), "conformance-1")
        if not ground.webtransport:
            equal((await other.batch(["push", read("version")], ["pull", 1]))[1], [["resolve", 1, "conformance-1"]])


# ---- HTTP batch


def batched(name: str, *points: int, body: str, status: int, answer: str | tuple[str, ...] | None) -> None:
    """Make a check: a body is answered by a status and a text, or by a text with these parts."""

    async def run(ground: Ground) -> None:
        got, text = await ground.post(body)
        equal(got, status)
        if isinstance(answer, str):
            equal(text, answer)
        true(answer is None or isinstance(answer, str) or all(part in text for part in answer), f"the text is {text!r}")

    CHECKS.append(Check(name, points, "HTTP batch", run))


SQUARE = '["push",["pipeline",0,["square"],[2]]]\n["pull",1]'
batched("an empty body is answered by an empty one", 45, body="", status=200, answer="")
batched(
    "text is answered as it is",
    45,
    body='["push",["pipeline",0,["version"]]]\n["pull",1]',
    status=200,
    answer='["resolve",1,"conformance-1"]',
)
batched("a trailing newline fails the batch", 45, 46, body=SQUARE + "\n", status=500, answer=None)
batched("a blank line fails the batch", 45, 46, body=SQUARE.replace("\n", "\n\n"), status=500, answer=None)
batched("a body that is not JSON fails with type and message", 46, body="{nope", status=500, answer=("SyntaxError: ",))
batched(
    "an unknown id fails the batch, and says why",
    46,
    body='["pull",9]',
    status=500,
    answer="Error: no such export ID: 9",
)
batched(
    "good answers of a batch with a protocol error are lost", 46, body=SQUARE + '\n["pull",9]', status=500,
    answer="Error: no such export ID: 9",
)  # fmt: skip


@check("lines may end in CR LF", 45, http=True)
async def crlf(ground: Ground) -> None:
    status, text = await ground.post(SQUARE.replace("\n", "\r\n"))
    equal([status, json.loads(text)], [200, ["resolve", 1, 4]])


@check("only what was pulled is answered", 45, http=True)
async def only_pulled(ground: Ground) -> None:
    answer = await ground.batch(["push", call("square", 2)], ["push", call("square", 3)], ["pull", 2])
    equal(list(answer), [200, [["resolve", 2, 9]]])


@check("answers come in the order of completion", 45, http=True)
async def completion(ground: Ground) -> None:
    calls = [["push", call("echoLater", "slow", 40)], ["push", call("echoLater", "quick", 1)], ["pull", 1], ["pull", 2]]
    equal((await ground.batch(*calls))[1], [["resolve", 2, "quick"], ["resolve", 1, "slow"]])


@check("answers are joined by newlines, without one at the end", 45, http=True)
async def joined(ground: Ground) -> None:
    body = '["push",["pipeline",0,["version"]]]\n["push",["pipeline",0,["version"]]]\n["pull",1]\n["pull",2]'
    _, text = await ground.post(body)
    equal(text, '["resolve",1,"conformance-1"]\n["resolve",2,"conformance-1"]')


@check("good answers stand beside a failed one", 46, http=True)
async def beside_failed(ground: Ground) -> None:
    _, [first, second] = await ground.batch(
        ["push", call("throwError")], ["push", call("square", 2)], ["pull", 1], ["pull", 2]
    )
    equal([first[:2], second], [["reject", 1], ["resolve", 2, 4]])


@check("a batch waits for what takes its time", 45, http=True)
async def waits(ground: Ground) -> None:
    _, answers = await ground.batch(["push", call("rejectLater", "late", 20)], ["pull", 1])
    equal(answers, [["reject", 1, ["error", "Error", "late"]]])


@check("a promise in a result is resolved within the batch, or left out", 29, 45, http=True)
async def promise_in_batch(ground: Ground) -> None:
    status, answers = await ground.batch(["push", call("laterInside", 5, "v")], ["pull", 1])
    equal([status, answers[0][:2]], [200, ["resolve", 1]])


@check("each batch has a main of its own", 47, http=True)
async def own_main(ground: Ground) -> None:
    for _ in range(2):
        _, answers = await ground.batch(["push", call("appendLog", 1)], ["pull", 1])
        equal(answers, [["resolve", 1, 1]])


@check("other methods are refused with 405 and an empty body", 47, http=True)
async def methods(ground: Ground) -> None:
    for method in ("GET", "PUT", "DELETE"):
        status, text = await ground.post("", method)
        equal([method, status, text], [method, 405, ""])


@check("one request carries all that is called before the first await", 47, http=True)
async def one_request(ground: Ground) -> None:
    session = connect(ground.http, ConformanceApiStub)
    async with session as api:
        authed = api.authenticate("secret")
        names = authed.get_friend_ids().map(lambda friend: authed.get_friend(friend).name)
        results: list[Any] = list(
            await asyncio.gather(api.square(2), names, api.square(api.square(2)), authed.profile.name)
        )
        equal(results, [4, ["friend-7", "friend-8", "friend-9"], 16, "alice"])
        equal(session.stats().round_trips, 1)


@check("what is called after the answer fails", 47, http=True)
async def after_answer(ground: Ground) -> None:
    async with connect(ground.http, ConformanceApiStub) as api:
        equal(await api.square(2), 4)
        await failure(api.square(3))
