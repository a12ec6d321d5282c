"""The service catalogue: `python -m examples.microservices.catalogue --port 8081`."""

from __future__ import annotations

from examples.microservices.generated.catalogue import CatalogueTarget
from examples.microservices.schemas.catalogue import NoSuchProduct, Product
from examples.microservices.service import run

NAMES = ["Green tea", "Black tea", "Tea pot", "Coffee"]
PRODUCTS = {number: Product(number=number, name=name, cents=100 * number) for number, name in enumerate(NAMES, 1)}


class Catalogue(CatalogueTarget):
    """Finds products."""

    def search(self, word: str) -> list[Product]:
        return [product for product in PRODUCTS.values() if word.lower() in product.name.lower()]

    def product(self, number: int) -> Product:
        if number not in PRODUCTS:
            raise NoSuchProduct(f"there is no product {number}")
        return PRODUCTS[number]


if __name__ == "__main__":
    run("catalogue", __doc__, Catalogue)
