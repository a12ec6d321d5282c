"""A server and a client over HTTP/3 alone: calls, callbacks and streams both ways, with a certificate for development.

feature: WebTransport
feature: streams in both directions
feature: callbacks
feature: certificates for development
feature: draining
problem: a connection that one lost packet holds up for all that goes over it
problem: a certificate before anything can be tried out
pattern: a session over QUIC
pattern: refusing a session with a status
"""
