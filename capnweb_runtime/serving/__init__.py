"""Answering sessions: `serve` starts a `server`; `first_bytes` tells TLS from plain text and `first_request` WebSockets
from HTTP on one port; `websocket_server` and `http_server` take them on; `admission` asks `hosts`, `origin` and the
application's `factory` whom to let in; `peer` says who asks; `signals` end the server.
"""
