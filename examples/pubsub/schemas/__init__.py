"""The interface of publish and subscribe."""
