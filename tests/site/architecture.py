"""The drawings of docs/architecture.md: `python -m tests.site.architecture`. Rule: floors are those that the import
contracts of pyproject.toml enforce, so that a drawing cannot say what is not so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
UPDATE = "python -m tests.site.architecture"
WIDTH, FLOOR, GAP, EDGE = 760, 40, 8, 10
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.note{font-size:12px;fill:#57606a}"
    "rect{fill:#f6f8fa;stroke:#8c959f}.ours{fill:#ddeaff;stroke:#2f6fde}.arrow{stroke:#57606a;fill:#57606a}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}rect{fill:#161b22;stroke:#656c76}"
    ".ours{fill:#12305f;stroke:#58a6ff}.arrow{stroke:#9198a1;fill:#9198a1}}"
)


def floors(contract: str) -> list[list[str]]:
    """What a contract of layers lists, from the top down."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = (one["layers"] for one in tool["contracts"] if one["id"] == contract)
    return [[name for name in layer.split(" : ") if not name.startswith("__")] for layer in layers]


def building(contract: str, title: str) -> str:
    """Floors above each other; what stands on a floor knows those below, and nobody beside it."""
    listed = floors(contract)
    height = len(listed) * (FLOOR + GAP) - GAP + 2 * EDGE
    body: list[str] = []
    for level, rooms in enumerate(listed):
        y = EDGE + level * (FLOOR + GAP)
        each = (WIDTH - 2 * EDGE - GAP * (len(rooms) - 1)) / len(rooms)
        for place, room in enumerate(rooms):
            body += _box(EDGE + place * (each + GAP), y, each, room, ours=room == "core")
    return _svg(height, title, body)


def row(title: str, boxes: list[tuple[str, str, bool]]) -> str:
    """Boxes from left to right, with arrows between them.

    Parameters:
        title: what screen readers say.
        boxes: name, what stands below it, and whether it is drawn as one of ours.
    """
    each = (WIDTH - 2 * EDGE - 28 * (len(boxes) - 1)) / len(boxes)
    body: list[str] = []
    for place, (name, note, ours) in enumerate(boxes):
        x = EDGE + place * (each + 28)
        body += _box(x, EDGE, each, name, ours=ours)
        for line, words in enumerate(note.split("\n")):
            y = EDGE + FLOOR + 18 + 16 * line
            body.append(
                f'<text class="note" x="{x + each / 2:.1f}" y="{y}" text-anchor="middle">{escape(words)}</text>'
            )
        if place:
            body.append(f'<path class="arrow" d="M{x - 26:.1f} {EDGE + FLOOR // 2}h16l0 -4l8 4l-8 4v-4"/>')
    lines = max(note.count("\n") + 1 for _, note, _ in boxes)
    return _svg(EDGE + FLOOR + 16 * lines + 20, title, body)


def _box(x: float, y: float, width: float, name: str, *, ours: bool) -> Iterator[str]:
    kind = ' class="ours"' if ours else ""
    yield f'<rect{kind} x="{x:.1f}" y="{y}" width="{width:.1f}" height="{FLOOR}" rx="5"/>'
    yield f'<text x="{x + width / 2:.1f}" y="{y + FLOOR / 2 + 4:.0f}" text-anchor="middle">{escape(name)}</text>'


def _svg(height: int, title: str, body: list[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *body, "</svg>", ""])


def drawings() -> dict[Path, str]:
    """Every drawing, by the file that it belongs into."""
    packages = [
        ("schemas/", "what you write:\nProtocols, models", False),
        ("capnweb_gen", "the compiler:\nwhen you develop", True),
        ("generated/", "stubs, targets:\ncommitted, read", False),
        ("capnweb_runtime", "sessions, references:\nin production", True),
    ]
    compiler = [
        ("front end", "Python,\nTypeScript", False),
        ("IR", "interfaces, models,\nno language", True),
        ("check", "all faults, each\nwith line and hint", False),
        ("lowering", "what the code\nis to be", False),
        ("templates", "one for each\nkind of node", False),
    ]
    return {
        PICTURES / "architecture.svg": row("The compiler makes code, which the runtime runs", packages),
        PICTURES / "compiler.svg": row("From a schema to code", compiler),
        PICTURES / "compiler-floors.svg": building("gen-layers", "The floors of the compiler"),
        PICTURES / "runtime.svg": building("runtime-layers", "The floors of the runtime"),
    }


def main() -> None:
    """Writes all drawings."""
    for path, drawing in drawings().items():
        path.write_text(drawing, "utf-8")


if __name__ == "__main__":
    main()
