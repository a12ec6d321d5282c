"""The interfaces of the auction house."""
