"""The interfaces of the chat."""
