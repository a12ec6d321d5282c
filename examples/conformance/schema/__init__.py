"""The schema of the conformance interface."""
