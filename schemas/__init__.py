"""Interfaces and models: what the two ends of a connection agree on. Each module here becomes one in generated/."""
