"""Sequence pictures as SVG: two ends, and the messages between them. Rule: deterministic text, legible in light and
dark mode; what is drawn are the messages as they were, line by line where they are long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap

from capnweb_runtime.testing import WireMessage

WIDTH = 760
CLIENT, SERVER = 70, 690
"""Where the lines of the two ends are."""
TOP = 46
LETTERS = 84
"""How many letters of a message one line has room for."""
LINE, ARROW, TURN = 15, 14, 12
"""Heights: of a line of text, of an arrow, and of the space where the other end begins to speak."""
STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}.end{font:600 13px system-ui,sans-serif}"
    ".life{stroke:#d8dee4}.client{stroke:#2f6fde;fill:#2f6fde}.server{stroke:#d9742b;fill:#d9742b}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.life{stroke:#30363d}}"
)


def sequence(messages: Sequence[WireMessage], title: str) -> str:
    """The picture of a session.

    Parameters:
        messages: what was sent, in order.
        title: what screen readers say of it.
    """
    body: list[str] = []
    y, before = TOP, None
    for message in messages:
        y += TURN if before not in (None, message.sender) else 0
        before = message.sender
        for line in lines(message.text):
            y += LINE
            body.append(f'<text x="{(CLIENT + SERVER) // 2}" y="{y}" text-anchor="middle">{escape(line)}</text>')
        y += ARROW // 2
        body.append(_arrow(y, message.sender == "client"))
        y += ARROW // 2
    height = y + 20
    return "\n".join([*_frame(height, title), *body, "</svg>", ""])


def lines(text: str) -> list[str]:
    """A message in lines that fit, broken behind a comma or a bracket where that is possible."""
    spaced = text.replace(",", ",\u200b").replace("[", "[\u200b")
    broken = wrap(spaced.replace(" ", "\u00a0").replace("\u200b", " "), LETTERS, break_on_hyphens=False)
    return [line.replace(", ", ",").replace("[ ", "[").replace("\u00a0", " ") for line in broken]


def _frame(height: int, title: str) -> Iterator[str]:
    size = f'viewBox="0 0 {WIDTH} {height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    yield f"<style>{STYLE}</style>"
    for name, x in (("client", CLIENT), ("server", SERVER)):
        yield f'<text class="end" x="{x}" y="24" text-anchor="middle">{name}</text>'
        yield f'<line class="life" x1="{x}" y1="34" x2="{x}" y2="{height - 8}"/>'


def _arrow(y: int, from_client: bool) -> str:
    start, end, back, name = (CLIENT, SERVER, -9, "client") if from_client else (SERVER, CLIENT, 9, "server")
    return (
        f'<line class="{name}" x1="{start}" y1="{y}" x2="{end + back}" y2="{y}"/>'
        f'<path class="{name}" d="M{end} {y}l{back} -4v8z"/>'
    )
