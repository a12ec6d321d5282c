"""The interface of the customers."""
