from typing import Annotated

from capnweb_runtime.schema import InterfaceModel, Property, idempotent


class Api(InterfaceModel):
    size: Annotated[Property[int], idempotent]
