"""Schemas: what the two ends of a connection agree on."""
