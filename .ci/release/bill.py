"""What a release stands on: every distribution that an installation brings, with its version and licence, as CycloneDX.

Rule: a licence that nobody has looked at stops the release.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from steps import Failed

FILE = "sbom.cdx.json"
# Licences under which a program that is not free itself may import a package.
KNOWN = (
    *("0BSD", "Apache", "BSD", "ISC", "MIT", "MPL", "Mozilla Public License", "PSF", "Python Software Foundation"),
    *("Unlicense", "The Unlicense", "Historical Permission Notice"),
)
INSTALLER = {"pip", "setuptools", "wheel"}


def listed(installed: Path, dist: Path) -> str:
    """Writes the list of what is installed in an environment, and says what is in it.

    Parameters:
        installed: folder with the environment.
        dist: where the list is written.

    Raises:
        Failed: a licence is not among those that are known.
    """
    dist.mkdir(exist_ok=True)
    python = installed / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON"]
    subprocess.run([*command, "-o", dist / FILE, python], check=True, capture_output=True, text=True)
    document = json.loads((dist / FILE).read_text("utf-8"))
    rows = [(one["name"], one.get("version", ""), _licence(one)) for one in document["components"]]
    rows = [row for row in rows if row[0] not in INSTALLER]
    strange = [f"{name} {version}: {licence or 'none'}" for name, version, licence in rows if not _known(licence)]
    if strange:
        raise Failed("look at these licences, and add them to KNOWN in .ci/release/bill.py:\n" + "\n".join(strange))
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"{name:<{width}}  {version:<12} {licence}" for name, version, licence in sorted(rows))


def _licence(component: dict[str, Any]) -> str:
    said = component.get("licenses", [])
    names = [one.get("expression") or one["license"].get("id") or one["license"].get("name", "") for one in said]
    return "; ".join(sorted({name for name in names if len(name) < 80}))


def _known(licence: str) -> bool:
    return any(word in licence for word in KNOWN)
