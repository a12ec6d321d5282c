"""Views: what a generated file says, ready to print. Rule: plain frozen data; templates decide nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StatementView:
    """A declaration of one statement; `comment` has its own end of line, or is empty, as everywhere here."""

    comment: str
    text: str


@dataclass(frozen=True)
class BlockView:
    """A declaration with members: a model, an interface, an enum, a callback."""

    comment: str
    opening: str
    members: tuple[StatementView, ...]
    closing: str


@dataclass(frozen=True)
class ErrorView:
    """An exception: its type, what tells it from others, and what makes one to throw, whose head is `maker`."""

    block: BlockView
    name: str
    article: str
    wire: str
    guard: str
    maker: str
    has_fields: bool


@dataclass(frozen=True)
class ForwardingView:
    """A member of a checked target, which hands on to the real one."""

    head: str
    body: str


@dataclass(frozen=True)
class CheckedView:
    """What checks an interface: the decorated class that stands before a target, and what opens a session."""

    name: str
    connect: str
    interface: str
    article: str
    members: tuple[ForwardingView, ...]


@dataclass(frozen=True)
class ModuleView:
    """A generated file. `connect` is the name of what opens sessions; empty if there is no interface."""

    header: str
    comment: str
    imports: tuple[str, ...]
    aliases: tuple[StatementView, ...]
    declarations: tuple[StatementView | BlockView, ...]
    errors: tuple[ErrorView, ...]
    connect: str
    checked: tuple[CheckedView, ...]
