"""`python -m examples.production_patterns`: one pattern after the other, each against a server that runs."""

from __future__ import annotations

from examples.form.running import run
from examples.production_patterns.patterns import patterns

if __name__ == "__main__":
    run("production_patterns", patterns)
