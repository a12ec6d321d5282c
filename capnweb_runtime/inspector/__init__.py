"""A page at which a running server can be watched. Rule: it is imported where a server is asked for it, looks at
sessions only while somebody looks at the page, and changes nothing.

    serve(main, "127.0.0.1", 8080, inspector=True)
"""

from capnweb_runtime.inspector.settings import Inspector

__all__ = ["Inspector"]
