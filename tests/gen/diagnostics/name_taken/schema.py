from typing import Protocol


class HTTPServer(Protocol): ...


class HttpServer(Protocol): ...
