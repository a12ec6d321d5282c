"""No schema: it declares nothing that travels."""

LIMIT = 3


class Helper:
    pass
