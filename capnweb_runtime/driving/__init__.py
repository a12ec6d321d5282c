"""One session on asyncio: `host` runs code of the application for the core, `connection` reads, writes and closes."""
