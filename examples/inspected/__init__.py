"""A server with something going on, to be looked at: `python -m examples.inspected`, or `make inspect`."""
