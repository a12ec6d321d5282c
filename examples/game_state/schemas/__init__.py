"""The interfaces of the game."""
