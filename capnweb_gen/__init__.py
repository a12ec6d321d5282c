"""The compiler: reads interfaces declared in Python and writes typed client stubs and server skeletons for Cap'n Web.

    errors → ir → naming → frontends → check → backends → compiler → output → cli

A module imports only from those before it. Of the runtime the compiler knows `capnweb_runtime.schema` alone.
"""
