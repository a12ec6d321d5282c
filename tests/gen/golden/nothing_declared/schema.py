"""A module with nothing in it."""

LIMIT = 1
