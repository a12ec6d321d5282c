"""The interface of the market."""
