"""`python -m capnweb_gen.cli` is `capnweb-gen`."""

from __future__ import annotations

from capnweb_gen.cli import main

main()
