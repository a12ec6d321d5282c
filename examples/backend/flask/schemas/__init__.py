"""The interface of the quotes."""
