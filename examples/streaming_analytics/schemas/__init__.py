"""The interface of the analytics."""
