"""One session on asyncio: `asyncio_host` runs code of the application for the core, in `threads` where that is asked
for, on what `host` offers whoever does; `connection` reads, writes and closes, and `trace` shows its messages.
"""
