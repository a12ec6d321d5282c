"""What one hostile client can do to a server with default limits: `make attack` measures it."""
