"""One program that serves WebSocket, HTTP batch and WebTransport at once, and a client that takes the best that works.

feature: WebTransport
feature: several transports on one port
feature: callbacks
problem: networks that let no UDP through
problem: proxies that let no WebSocket through
problem: waiting for a timeout at every connection
pattern: fallback from transport to transport
pattern: remembering what works
"""
