"""Writes what is now said of the cases of tests/gen/breaking, and what happens in them, for a reviewer to look at.

python -m tests.gen.update_breaking [CASE...]
"""

from __future__ import annotations

import sys

from tests.gen.breaking_cases import FOLDER, cases, checked_outcomes, lenient_outcomes, said, written


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


if __name__ == "__main__":
    main()
