"""The interfaces of the cache."""
