"""Products like those of the demo collection, in any number, without models behind them."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from vitrina.catalogue import stock
from vitrina.catalogue.model import (
    Category,
    Dimensions,
    Option,
    Product,
    PublicationState,
    Variant,
)
from vitrina.catalogue.service import save_category, save_product
from vitrina.entrypoints.wiring import build
from vitrina.kernel.money import Money
from vitrina.models3d.model import Level, Manifest, Poster
from vitrina.settings import Settings

ROOMS = ("chairs", "tables", "lamps", "vases")
FINISHES = ("oak", "walnut", "ash", "black")
BEGAN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PIECES = 1_000_000
WORDS = (
    "Turned from one piece of solid oak and oiled by hand, it stands where it is put and ages"
    " with the people around it."
)


def furnish(settings: Settings, count: int = 24) -> None:
    """Put ``count`` products in four finishes on sale."""
    shop = build(settings)
    for place, room in enumerate(ROOMS):
        save_category(shop.catalogue, Category(room, room.capitalize(), place, WORDS))
    for product in _products(count):
        save_product(shop.catalogue, product, now=BEGAN)
    shop.db.dispose()


def restock(settings: Settings) -> None:
    """Give everything on sale more stock than a bench can buy."""
    shop = build(settings)
    keys = {
        variant.stock_key
        for product in shop.catalogue.store.products()
        for variant in product.variants
    }
    with shop.db.begin() as tx:
        for key in sorted(keys):
            stock.set_level(tx, key, PIECES)
    shop.db.dispose()


def _products(count: int) -> Iterator[Product]:
    for number in range(count):
        room = ROOMS[number % len(ROOMS)]
        slug = f"{room[:-1]}-{number}"
        made_at = BEGAN + timedelta(hours=number)
        yield Product(
            id=f"bench-{number}",
            slug=slug,
            title=f"{room[:-1].capitalize()} {number}",
            summary=WORDS,
            description="\n\n".join([WORDS] * 3),
            category=room,
            tags=("oak", "dining", "new"),
            options=(Option("Finish", tuple(finish.capitalize() for finish in FINISHES)),),
            variants=tuple(
                Variant(
                    f"{slug}-{finish}".upper(),
                    (finish.capitalize(),),
                    Money(9900 + 100 * number, "EUR"),
                    stock_key=f"{slug}-{finish}".upper(),
                    material_variant=finish,
                )
                for finish in FINISHES
            ),
            dimensions=Dimensions(0.45, 0.8, 0.5),
            model=_manifest(slug),
            state=PublicationState.PUBLISHED,
            created_at=made_at,
            updated_at=made_at,
        )


def _manifest(slug: str) -> Manifest:
    digest = hashlib.sha256(slug.encode()).hexdigest()
    return Manifest(
        source_sha256=digest,
        pipeline="bench",
        tier="core",
        levels=(Level("full", f"models/{digest[:32]}.glb", 400_000, 250_000, 30_000),),
        posters=tuple(
            Poster(variant, f"posters/{digest[:32]}.webp", 1024, 1024, 30_000)
            for variant in ("", *FINISHES)
        ),
        variants=FINISHES,
        bounds_min_m=(-0.2, 0.0, -0.2),
        bounds_max_m=(0.2, 0.8, 0.2),
        animations=0,
    )
