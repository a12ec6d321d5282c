"""The server inside somebody's own web application. Rule: who gets a session is decided in `serving`; here are only the
ways in and out of what carries the messages, each of which is known to its own module alone.
"""
