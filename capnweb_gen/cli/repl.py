"""`capnweb-gen repl`: ask a server one thing after the other. docs/client.md describes it."""

from __future__ import annotations

import asyncio
import sys
from typing import Unpack

import click

from capnweb_gen.cli import asking, terminal
from capnweb_gen.cli.asking import Asked
from capnweb_gen.client.asking import Background, CapnwebError, Server, background
from capnweb_gen.client.dialogue import HELP, Dialogue
from capnweb_gen.client.editing import lines
from capnweb_gen.client.expression import ExpressionError
from capnweb_gen.client.shown import Shown

_PROMPT = ">>> "
_WELCOME = "name = ... keeps a result, _ is the last one; help, help NAME; Tab completes; Ctrl-D ends"


@click.command()
@click.argument("url")
@asking.asks
def repl(**asked: Unpack[Asked]) -> None:
    """Make calls to a server, one after another, in one session.

    Each line is an expression as for `capnweb-gen call`, or NAME = EXPRESSION, which keeps the result under a name.
    Later lines can call methods of a kept object, and pass it as an argument.
    """
    server = asking.asked_server(asked)
    with asking.traced(asked, server):
        sys.exit(0 if _talk(asked, server) else 1)


def _talk(asked: Asked, server: Server) -> bool:
    """Answers until the input ends, and tells whether all went well, or somebody was there to see that it did not."""
    loop = background()
    shown = asking.shown_as(asked, None)
    try:
        described = loop.wait(lambda: asking.described_by(asked, server), None)
        shown = asking.shown_as(asked, described)
        dialogue = Dialogue(server, described, shown, asking.Printer())
        loop.wait(dialogue.open, None)
    except (CapnwebError, ImportError) as error:
        asking.say_error(error, shown)
        return False
    typed, fine = sys.stdin.isatty(), True
    if typed:
        terminal.say(_WELCOME)
    try:
        for line in lines(_PROMPT, dialogue.candidates):
            if line.strip() in ("exit", "quit"):
                break
            fine = _answer(line, dialogue, loop, shown) and fine
    finally:
        loop.wait(dialogue.aclose, None)
    return fine or typed


def _answer(line: str, dialogue: Dialogue, loop: Background, shown: Shown) -> bool:
    """Answers one line, and tells whether that went well."""
    word, _, rest = line.strip().partition(" ")
    try:
        if word == HELP:
            line = rest
            dialogue.help(rest)
        elif word:
            loop.wait(lambda: dialogue.answer(line), None)
    except ExpressionError as error:
        asking.say_fault(error, line)
    except (KeyboardInterrupt, asyncio.CancelledError):
        terminal.say("given up")
    except Exception as error:  # whatever the server has answered with
        asking.say_error(error, shown)
    else:
        return True
    return False
