"""The interface of the shop."""
