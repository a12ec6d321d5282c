"""Other projects, each serving and calling the measured interface in its own way: `python -m tests.bench.peers.X serve
PORT`, or with a client's command line. Rule: each is written as its documentation would have it, and given its fastest
way of doing the same; nothing here is imported by anything but these programs.

They run in environments of their own (see `environments`), so what they import is not known to type checkers.
"""
