"""Values for tests, each with sensible parts of its own: name only what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vitrina.catalogue.model import Option, Product, PublicationState, Variant
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def variant(sku: str = "OAK-CHAIR", price: str = "129.50", **changes: Any) -> Variant:
    """A variant without options, priced in EUR, with a stock of its own."""
    return replace(Variant(sku, (), Money.parse(price, "EUR"), stock_key=sku), **changes)


def product(slug: str = "oak-chair", price: str = "129.50", **changes: Any) -> Product:
    """A published product, sold as one thing whose SKU is the slug in capitals."""
    plain = Product(
        id=new_id(),
        slug=slug,
        title=slug.replace("-", " ").capitalize(),
        summary="",
        description="",
        category="",
        tags=(),
        options=(),
        variants=(variant(slug.upper(), price),),
        dimensions=None,
        model=None,
        state=PublicationState.PUBLISHED,
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(plain, **changes)


def finishes(slug: str, prices: dict[str, str]) -> dict[str, Any]:
    """The options and variants of a product sold in several finishes: ``product(**finishes(…))``.

    Args:
        prices: finish -> price in EUR.
    """
    return {
        "slug": slug,
        "options": (Option("Finish", tuple(prices)),),
        "variants": tuple(
            variant(
                f"{slug}-{finish}".upper(),
                price,
                choices=(finish,),
                material_variant=finish.lower(),
            )
            for finish, price in prices.items()
        ),
    }
