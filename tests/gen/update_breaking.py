"""Writes what is now said of the cases of tests/gen/breaking, and what happens in them, for a reviewer to look at.

python -m tests.gen.update_breaking [CASE...]
"""

from __future__ import annotations

import sys

from capnweb_gen.evolution.rules import RULES
from tests.gen.breaking_cases import FOLDER, ROOT, cases, checked_outcomes, lenient_outcomes, said, written

DOCUMENT = ROOT / "docs/evolution.md"
BEGIN, END = "<!-- rules: python -m tests.gen.update_breaking -->\n", "<!-- end of rules -->\n"


def table() -> str:
    """The rules, as the documentation has them."""
    rows = [
        "| what has changed | old clients | new clients | code | why |",
        "|---|---|---|---|---|",
    ]
    for rule in RULES:
        effects = rule.effects
        code = "yes" if effects.code else ""
        why = f"{rule.why}. *Unless* {rule.unless}" if rule.unless else rule.why
        cells = [f"`{rule.id}`: {rule.change}", effects.old_client.words, effects.new_client.words, code, why]
        rows.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(rows) + "\n"


def document() -> str:
    """The documentation with the rules in it."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.partition(END)[2]


def main() -> None:
    for case in sys.argv[1:] or cases():
        texts = {
            "expected.txt": said(case),
            "outcome.txt": written(checked_outcomes(case), lenient_outcomes()[case]),
        }
        for name, text in texts.items():
            path = FOLDER / case / name
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
                print(f"wrote {case}/{name}")
    DOCUMENT.write_text(document(), "utf-8")


if __name__ == "__main__":
    main()
