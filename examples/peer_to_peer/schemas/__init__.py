"""The interface that all peers have."""
