"""Makes the index of the examples and their pages in the documentation: `python -m examples.form.pages [--check]`.

Rule: both are made from what is there. The index comes from the headers, a page is the README with the files below it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from posixpath import normpath, relpath

from examples.form.headers import EXAMPLES, KINDS, ROOT, Header, headers

UPDATE = "python -m examples.form.pages"
INDEX = EXAMPLES / "README.md"
PAGES = ROOT / "docs" / "examples"
_LANGUAGES = {".py": "python", ".html": "html", ".mjs": "js", ".js": "js", ".ts": "ts", ".css": "css", ".sql": "sql"}
_LINK = re.compile(r"(?<=\]\()(?!https?://|#)([^)#\s]+)")
_INTRODUCTION = f"""# Examples

Each runs by one command, starts what it needs, shows what happens, and checks what it claims:

    python -m examples.calculator

`make examples` runs all of them and ends with a table. An example is a folder of the same form: `schemas/` and what
`capnweb-gen` makes of them, `server.py`, `client.py`, a README with the lines that matter and what is proved, and a
test that holds the README to it. What some need beyond the package itself: `pip install 'capnweb-gen[examples]'`.

This index is made from the headers of the examples: `{UPDATE}`.
"""
_TITLES = {"feature": "By feature", "problem": "By problem", "pattern": "By pattern"}


def index(examples: Sequence[Header], link: str) -> str:
    """The index: all examples, and where to look for a feature, a problem or a pattern.

    Parameters:
        examples: their headers.
        link: what a link to one is, with `{name}` in it.
    """
    table = ["| example | shows |", "|---|---|"]
    table += [f"| {_linked(example, link)} | {example.summary} |" for example in examples]
    parts = [_INTRODUCTION, "## All", "\n".join(table)]
    for kind in KINDS:
        parts += [f"## {_TITLES[kind]}", "\n".join(_by(kind, examples, link))]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _by(kind: str, examples: Sequence[Header], link: str) -> Iterator[str]:
    found: dict[str, list[Header]] = defaultdict(list)
    for example in examples:
        for word in example.words[kind]:
            found[word].append(example)
    yield f"| {kind} | examples |"
    yield "|---|---|"
    for word in sorted(found, key=str.lower):
        yield f"| {word} | {', '.join(_linked(example, link) for example in found[word])} |"


def _linked(example: Header, link: str) -> str:
    return f"[{example.name}]({link.format(name=example.name, page=page_name(example))})"


def page_name(example: Header) -> str:
    """The file of an example's page in docs/examples."""
    return f"{example.name.replace('/', '_')}.md"


def page(example: Header) -> str:
    """An example's page: its README, with links that hold from there, what it prints, and its files."""
    readme = (example.folder / "README.md").read_text("utf-8")
    parts = [_moved(readme, f"examples/{example.name}"), "## What it prints"]
    parts.append(_fenced((example.folder / "output.txt").read_text("utf-8"), "text"))
    parts.append("## The files")
    for path in files(example):
        inside = path.relative_to(example.folder).as_posix()
        parts += [f"### {inside}", _fenced(path.read_text("utf-8"), _LANGUAGES[path.suffix])]
    made = f"<!-- Made of examples/{example.name} by `{UPDATE}`. -->"
    return "\n\n".join([made, *(part.strip("\n") for part in parts)]) + "\n"


def files(example: Header) -> list[Path]:
    """The files of an example that a reader wants: schemas first, then the programs; neither tests nor what is made."""
    found = [path for path in example.folder.rglob("*") if path.suffix in _LANGUAGES and path.is_file()]
    inside = {path: path.relative_to(example.folder) for path in found}
    wanted = [path for path in found if _is_read(inside[path])]
    return sorted(wanted, key=lambda path: ("schemas" not in inside[path].parts, inside[path].as_posix()))


def _is_read(path: Path) -> bool:
    made = {"generated", "node_modules", "__pycache__"} & set(path.parts)
    return not made and path.name != "__init__.py" and not path.name.startswith(("test_", "conftest"))


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _moved(readme: str, folder: str) -> str:
    """A README whose links hold from docs/examples: to the page of another example, to a document, or to a file."""

    def moved(found: re.Match[str]) -> str:
        target = normpath(f"{folder}/{found[1]}")
        inside = re.fullmatch(r"examples/(.+)/README\.md", target)
        if inside and (EXAMPLES / inside[1] / "output.txt").is_file():
            return f"{inside[1].replace('/', '_')}.md"
        return relpath(target, "docs/examples")

    return _LINK.sub(moved, readme)


def made() -> dict[Path, str]:
    """All texts that are made, by path."""
    examples = headers()
    texts = {INDEX: index(examples, "{name}/README.md"), PAGES / "README.md": index(examples, "{page}")}
    return texts | {PAGES / page_name(example): page(example) for example in examples}


def stale() -> dict[Path, str]:
    """What is not as it would be made; an empty text stands for a page whose example is gone."""
    texts = made()
    gone = {path: "" for path in PAGES.glob("*.md") if path not in texts}
    return gone | {path: text for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=UPDATE, description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    options = parser.parse_args()
    changed = stale()
    if options.check and changed:
        sys.exit(f"out of date: {', '.join(str(path.relative_to(ROOT)) for path in changed)}; run: {UPDATE}")
    for path, text in changed.items():
        if text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        else:
            path.unlink()
