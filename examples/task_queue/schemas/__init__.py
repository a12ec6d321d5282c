"""The interface of the task queue."""
