"""A program for servers of several processes that are restarted: its schema, and its text."""
