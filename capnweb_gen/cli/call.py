"""`capnweb-gen call`: ask a server one thing. docs/client.md describes it."""

from __future__ import annotations

import asyncio
import sys
from typing import Unpack

import click

from capnweb_gen.cli import asking, terminal
from capnweb_gen.cli.asking import Asked
from capnweb_gen.client.asking import CapnwebError, Server
from capnweb_gen.client.dialogue import ask_once
from capnweb_gen.client.expression import ExpressionError, Node, parse
from capnweb_gen.client.plan import Planner
from capnweb_gen.client.shown import clean


@click.command()
@click.argument("url")
@click.argument("expression")
@asking.asks
def call(expression: str, **asked: Unpack[Asked]) -> None:
    """Make one call to a server, and print the result.

    EXPRESSION is a chain of calls, attributes and items. It begins with a member of the server's main object, as in
    'authenticate("secret").friends()[0]'. Arguments are literals or further chains. The whole chain takes one round
    trip. If EXPRESSION is -, it is read from standard input, so that other users of this machine cannot see its secrets
    in the list of processes.
    """
    expression = sys.stdin.read() if expression == "-" else expression
    server = asking.asked_server(asked)
    try:
        node = parse(expression)
        with asking.traced(asked, server):
            answered = asyncio.run(_call(node, asked, server))
    except ExpressionError as error:
        asking.say_fault(error, expression)
        sys.exit(2)
    sys.exit(0 if answered else 1)


async def _call(node: Node, asked: Asked, server: Server) -> bool:
    """Asks, and tells whether there was an answer. Raises ExpressionError if it cannot be asked."""
    shown = asking.shown_as(asked, None)
    try:
        described = await asking.described_by(asked, server)
    except CapnwebError as error:
        asking.say_error(error, shown)
        return False
    planner = Planner(described)
    plan = planner.plan(node)
    for warning in planner.warnings:
        terminal.say(clean(f"warning: {warning}"))
    shown = asking.shown_as(asked, described)
    try:
        await ask_once(server, plan, shown, asking.Printer())
    except Exception as error:  # whatever the server has answered with
        asking.say_error(error, shown)
        return False
    return True
