"""Settings of hypercorn, as in docs/mounts.md."""

workers = 0
websocket_max_message_size = 32 * 1024 * 1024
websocket_ping_interval = 20
