"""Worker processes that share an engine, and what becomes of their clients when either is killed, stopped or slow."""
