"""The form that every example here keeps to, and the programs that hold them to it.

Rule: an example is a folder `examples/NAME` that reads alike whatever it is about:

    __init__.py      what it shows, in a sentence, and under which features, problems and patterns it is found
    schemas/         the interfaces
    generated/       what capnweb-gen makes of them: `python -m examples.form.schemas`
    server.py        the server, a program of its own: `python -m examples.NAME.server`
    client.py        the client
    __main__.py      `python -m examples.NAME` runs all of it, checks what it claims, and ends with `NAME: ok`
    output.txt       what that prints; what differs from run to run has a `~` before it
    README.md        the problem, the lines that matter, what is proved, what it does not do, what to read next
    test_NAME.py     runs it, compares it with output.txt, and asserts each number that the README claims

`report` prints, `running` runs one, `processes` starts servers, `shared` those that share a backplane, `website` serves
a page beside an RPC mount, `memory` and `growth` measure, `headers` reads what an example says of itself, `pages` makes
the index and the pages of the documentation, `testing` is for their tests.
"""
