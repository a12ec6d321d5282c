"""Writes what is now made of the golden cases of TypeScript, for a reviewer to look at the difference.

python -m tests.gen.update_typescript_cases [CASE...]
"""

from __future__ import annotations

import os
import sys

from tests.gen.typescript_golden import CASES, cases, committed_case, make_case


def main() -> None:
    os.chdir(CASES.parents[2])
    for case in sys.argv[1:] or cases():
        made, committed = make_case(case), committed_case(case)
        for name in committed.keys() - made.keys():
            (CASES / case / name).unlink()
            print(f"removed {case}/{name}")
        for name, text in made.items():
            if committed.get(name) != text:
                (CASES / case / name).write_text(text, "utf-8")
                print(f"wrote {case}/{name}")


if __name__ == "__main__":
    main()
