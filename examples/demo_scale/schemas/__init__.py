"""The interface of the board."""
