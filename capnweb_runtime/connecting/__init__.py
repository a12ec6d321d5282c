"""Opening sessions: `connect` gives a stub of a server's main object."""
