"""The protocol without I/O. Rule: no asyncio, sockets, threads or clocks in here; time and application code are
handed in.
"""
