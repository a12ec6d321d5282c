"""The interfaces of the services, and of the gateway."""
