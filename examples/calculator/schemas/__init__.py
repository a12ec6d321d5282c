"""The interface of the calculator."""
