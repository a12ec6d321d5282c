"""The interface of the rooms."""
