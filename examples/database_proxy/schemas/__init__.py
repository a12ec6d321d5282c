"""The interface of the database proxy."""
