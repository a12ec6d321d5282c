"""The interface of the file transfer."""
