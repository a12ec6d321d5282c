"""A schema for workers that share a backplane."""
