"""Products as plain JSON values: what the table keeps and what an export file holds.

Reading trusts what it reads: it takes apart what was written here, or what ``exchange`` has
checked before.
"""

from datetime import UTC, datetime
from typing import Any

from vitrina.catalogue.model import (
    Dimensions,
    ListedProduct,
    Option,
    Product,
    PublicationState,
    Variant,
)
from vitrina.kernel.money import Money
from vitrina.models3d import model as models3d

Plain = dict[str, Any]


def product_to_plain(product: Product) -> Plain:
    """Everything but the revision, which belongs to one table."""
    return {
        "id": product.id,
        "slug": product.slug,
        "title": product.title,
        "summary": product.summary,
        "description": product.description,
        "category": product.category,
        "tags": list(product.tags),
        "options": _options_to_plain(product.options),
        "variants": [
            {
                "sku": variant.sku,
                "choices": list(variant.choices),
                "price": money_to_plain(variant.price),
                "stock_key": variant.stock_key,
                "material_variant": variant.material_variant,
            }
            for variant in product.variants
        ],
        "dimensions": {
            "width_m": product.dimensions.width_m,
            "height_m": product.dimensions.height_m,
            "depth_m": product.dimensions.depth_m,
        }
        if product.dimensions
        else None,
        "model": models3d.to_plain(product.model) if product.model else None,
        "state": product.state.value,
        "created_at": time_to_plain(product.created_at),
        "updated_at": time_to_plain(product.updated_at),
        "published_at": time_to_plain(product.published_at) if product.published_at else None,
    }


def product_from_plain(plain: Plain, *, revision: str = "") -> Product:
    """
    Raises:
        KeyError, ValueError: not what ``product_to_plain`` writes.
    """
    return Product(
        id=plain["id"],
        slug=plain["slug"],
        title=plain["title"],
        summary=plain["summary"],
        description=plain["description"],
        category=plain["category"],
        tags=tuple(plain["tags"]),
        options=_options_from_plain(plain["options"]),
        variants=tuple(
            Variant(
                sku=variant["sku"],
                choices=tuple(variant["choices"]),
                price=money_from_plain(variant["price"]),
                stock_key=variant["stock_key"],
                material_variant=variant["material_variant"],
            )
            for variant in plain["variants"]
        ),
        dimensions=Dimensions(**plain["dimensions"]) if plain["dimensions"] else None,
        model=models3d.from_plain(plain["model"]) if plain["model"] else None,
        state=PublicationState(plain["state"]),
        created_at=datetime.fromisoformat(plain["created_at"]),
        updated_at=datetime.fromisoformat(plain["updated_at"]),
        published_at=datetime.fromisoformat(plain["published_at"])
        if plain["published_at"]
        else None,
        revision=revision,
    )


def listed_to_plain(listed: ListedProduct) -> Plain:
    poster = listed.poster
    return {
        "id": listed.id,
        "slug": listed.slug,
        "title": listed.title,
        "summary": listed.summary,
        "category": listed.category,
        "tags": list(listed.tags),
        "options": _options_to_plain(listed.options),
        "lowest_price": money_to_plain(listed.lowest_price),
        "highest_price": money_to_plain(listed.highest_price),
        "poster": {
            "variant": poster.variant,
            "key": poster.key,
            "width_px": poster.width_px,
            "height_px": poster.height_px,
            "size_bytes": poster.size_bytes,
        }
        if poster
        else None,
        "stock_keys": list(listed.stock_keys),
        "listed_at": time_to_plain(listed.listed_at),
    }


def listed_from_plain(plain: Plain) -> ListedProduct:
    return ListedProduct(
        id=plain["id"],
        slug=plain["slug"],
        title=plain["title"],
        summary=plain["summary"],
        category=plain["category"],
        tags=tuple(plain["tags"]),
        options=_options_from_plain(plain["options"]),
        lowest_price=money_from_plain(plain["lowest_price"]),
        highest_price=money_from_plain(plain["highest_price"]),
        poster=models3d.Poster(**plain["poster"]) if plain["poster"] else None,
        stock_keys=tuple(plain["stock_keys"]),
        listed_at=datetime.fromisoformat(plain["listed_at"]),
    )


def money_to_plain(money: Money) -> Plain:
    return {"minor": money.minor, "currency": money.currency}


def money_from_plain(plain: Plain) -> Money:
    return Money(plain["minor"], plain["currency"])


def time_to_plain(moment: datetime) -> str:
    """UTC with microseconds, always of one length, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _options_to_plain(options: tuple[Option, ...]) -> list[Plain]:
    return [{"name": option.name, "values": list(option.values)} for option in options]


def _options_from_plain(plain: list[Plain]) -> tuple[Option, ...]:
    return tuple(Option(option["name"], tuple(option["values"])) for option in plain)
