"""The interface of the observatory."""
