"""The interfaces of the actor system."""
