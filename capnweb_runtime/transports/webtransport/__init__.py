"""Sessions over WebTransport (HTTP/3), on aioquic: the extra `webtransport`. `end` is what both ends do, `client` opens
sessions; `lines` are the messages on a stream and `capsules` what is said about a session; `quic` holds all that is
used of aioquic's insides. The server's end is in `capnweb_runtime.serving`.
"""
