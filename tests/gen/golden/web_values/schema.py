"""Values of the web, which peers in JavaScript have built in."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from capnweb_runtime.schema import Blob, Headers, Request, Response, Url


class Attachment(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    content: Blob
    source: Url
    headers: Headers | None = None


class Proxy(Protocol):
    @property
    def home(self) -> Url: ...

    async def fetch(self, request: Request) -> Response: ...
    async def get(self, url: Url, headers: Headers | None = None) -> Response: ...
    async def store(self, content: Blob) -> Url: ...
    async def load(self, url: Url) -> Blob | None: ...
    async def attach(self, attachments: list[Attachment]) -> list[Blob]: ...
    async def mirror(self, pages: dict[str, Response]) -> tuple[Url, Headers]: ...
