"""What `examples.conformance.client` checks, by subject. Importing this package registers every check."""

from examples.conformance.checks import calls, maps, names, order, references, streams, transports, values

__all__ = ["calls", "maps", "names", "order", "references", "streams", "transports", "values"]
