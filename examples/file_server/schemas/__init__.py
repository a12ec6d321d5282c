"""The interface of the file server."""
