"""The interfaces of the mesh, one module for each service."""
