"""What tests of placement place: a room, with one of everything that goes over a session."""
