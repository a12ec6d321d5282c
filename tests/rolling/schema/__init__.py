"""A schema for programs that are started with workers."""
