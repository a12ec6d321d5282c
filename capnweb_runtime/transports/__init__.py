"""How the messages of a session travel: WebSocket, HTTP batch, or within one process. Rule: a transport knows its
Connection, never the session.
"""
