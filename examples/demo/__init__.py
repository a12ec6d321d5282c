"""The program behind `make demo`: schemas/accounts.py served on this machine and called by its typed client."""
