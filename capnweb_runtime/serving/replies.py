"""Answers to HTTP requests, whatever sends them. Rule: what is refused is answered as text, with the headers that let
an allowed page read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from capnweb_runtime.serving.peer import Refuse
from capnweb_runtime.transports.http_batch import CONTENT_TYPE


class Reply(NamedTuple):
    """One answer.

    Attributes:
        status: its status.
        headers: its headers, but for those that follow from how it is sent.
        body: its body.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def description(text: bytes, allowed: Mapping[str, str]) -> Reply:
    """What is served, for whoever asked.

    Parameters:
        text: the IR, as JSON.
        allowed: headers for pages, see `cors`.
    """
    ours = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Reply(HTTPStatus.OK, {**ours, **allowed}, text)


def not_allowed(reflects: bool) -> Refuse:
    """How a request of another method is refused.

    Parameters:
        reflects: whether a GET is answered.
    """
    return Refuse(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST" if reflects else "POST"})


def refusal(refused: Refuse, allowed: Mapping[str, str]) -> Reply:
    """How a request is refused.

    Parameters:
        refused: why.
        allowed: headers for pages, see `cors`.
    """
    body = f"{refused.text}\n".encode("utf-8", "replace") if refused.text else b""
    headers = {**allowed, "Content-Type": CONTENT_TYPE} if refused.text else dict(allowed)
    for name, value in refused.headers.items():
        headers = {kept: other for kept, other in headers.items() if kept.lower() != name.lower()} | {name: value}
    return Reply(refused.status, headers, body)
