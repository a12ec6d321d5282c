"""The command line client: what is typed, as calls of a server.

`expression` reads what is typed · `described` knows what the server's interfaces say · `arguments` compares what is
given with that · `plan` makes of both what is asked for, before anything is sent · `session` asks · `shown` prints.
"""
