"""Answering sessions: `serve` starts a `server`; `first_request` tells WebSockets from HTTP on one port;
`websocket_server` and `http_server` take them on; `peer` and `origin` say who asks, and who may.
"""
