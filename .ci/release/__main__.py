"""`make release`: builds what would be uploaded, and tries it. Rule: everything is checked before `dist/` says so, and
nothing leaves this machine.

    python .ci/release [--allow-dirty] [--only 3.11 3.12]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bill
import building
import trying
from steps import Failed, Steps

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Makes a release; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--allow-dirty", action="store_true", help="build from a tree that has changes")
    parser.add_argument("--only", nargs="+", metavar="VERSION", help="try these versions of Python alone")
    options = parser.parse_args()
    steps = Steps()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            _release(steps, Path(scratch), options)
    except Failed as failed:
        steps.fail(str(failed))
        return 1
    except subprocess.CalledProcessError as failed:
        steps.fail(f"{' '.join(map(str, failed.cmd))}\n{failed.stdout or ''}{failed.stderr or ''}")
        return 1
    return 0


def _release(steps: Steps, scratch: Path, options: argparse.Namespace) -> None:
    with steps("the tree is what is committed"):
        if not options.allow_dirty:
            building.clean(ROOT)
        epoch = building.epoch(ROOT)
    with steps("the changelog has this version"):
        version = building.version(ROOT)
        told = building.in_changelog(ROOT, version)
    steps.note(f"{version}: {told}")
    with steps("built twice, byte for byte the same"):
        files = building.reproducibly(ROOT, scratch, epoch)
    with steps("an index would take them"):
        subprocess.run(
            [sys.executable, "-m", "twine", "check", "--strict", *files], check=True, capture_output=True, text=True
        )
    with steps("nothing else is in them"):
        building.contents(files)
    pythons = trying.pythons(options.only)
    with trying.index(scratch / "index", files) as url:
        for name, interpreter in pythons.items():
            if interpreter is None:
                steps.note(f"Python {name} is not on this machine: not tried")
                continue
            with steps(f"installed by Python {name}, and compiles, serves and calls"):
                trying.tried(interpreter, version, url, scratch / name)
        if not any(pythons.values()):
            raise Failed("no Python was found to try it with")
    with steps("what it stands on, with licences"):
        listed = bill.listed(next(scratch / name for name, one in pythons.items() if one), ROOT / "dist")
    steps.note(listed)
    with steps("dist/"):
        building.put(files, ROOT / "dist")


if __name__ == "__main__":
    sys.exit(main())
