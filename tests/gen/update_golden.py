"""Writes what the compiler now makes of the golden cases, for a reviewer to look at the difference.

python -m tests.gen.update_golden [CASE...]

A case that needs a newer Python than the one that runs this is left as it is.
"""

from __future__ import annotations

import os
import sys

from tests.gen import update_gallery
from tests.gen.golden_cases import GOLDEN, cases, committed_case, compile_case


def main() -> None:
    os.chdir(GOLDEN.parents[2])
    for case in sys.argv[1:] or cases():
        made, committed = compile_case(case), committed_case(case)
        for name in committed.keys() - made.keys():
            (GOLDEN / case / name).unlink()
            print(f"removed {case}/{name}")
        for name, text in made.items():
            if committed.get(name) != text:
                path = GOLDEN / case / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
                print(f"wrote {case}/{name}")
    update_gallery.main()  # it shows some of the cases


if __name__ == "__main__":
    main()
