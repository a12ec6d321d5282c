from collections.abc import Callable

from pydantic import BaseModel


class Page(BaseModel):
    on_close: Callable[[int], None]
