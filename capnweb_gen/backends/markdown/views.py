"""What templates print. Rule: texts only, which are Markdown already."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowView:
    """A row of a table."""

    written: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """Its cells, in which nothing ends them early."""
        return tuple(text.replace("|", "\\|") for text in self.written)


@dataclass(frozen=True)
class MemberView:
    """A method or property, or what a callback is called with. `notes` are items of a list."""

    anchor: str
    name: str
    signature: str
    doc: str
    parameters: tuple[RowView, ...]
    notes: tuple[str, ...]
    python: str
    typescript: str


@dataclass(frozen=True)
class DeclaredView:
    """An interface, a callback, a model, an enum, a NewType or an exception.

    Attributes:
        anchor: by which it is linked to.
        name: what it is called.
        summary: its first line, for the table of contents.
        doc: all that is said of it.
        notes: items of a list.
        members: of an interface or callback.
        columns: the heads of its table; none without one.
        rows: of that table.
        wire: an example of its form on the wire, as JSON.
    """

    anchor: str
    name: str
    summary: str
    doc: str
    notes: tuple[str, ...] = ()
    members: tuple[MemberView, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[RowView, ...] = ()
    wire: str = ""


@dataclass(frozen=True)
class SectionView:
    """Everything of one kind."""

    title: str
    declared: tuple[DeclaredView, ...]

    @property
    def anchor(self) -> str:
        """By which it is linked to: what is declared has other ones."""
        return f"section-{self.title.lower()}"


@dataclass(frozen=True)
class PageView:
    """A page."""

    notice: str
    title: str
    doc: str
    sections: tuple[SectionView, ...]
