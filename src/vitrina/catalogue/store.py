"""Where products are kept: one DynamoDB table. Its access patterns are drawn in docs/data.md.

    pk                sk           is
    PRODUCT#<id>      META         the product, whole; every product has a change key
    PRODUCT#<id>      LISTING      what a card shows; only while published, with the listing keys
    SLUG#<slug>       SLUG         which product this address leads to; a former one stays
    SKU#<sku>         SKU          which product is sold under this SKU
    CATEGORIES        <slug>       a category

A product is written with its listing and its pointers in one transaction, each on the condition
that it is free or already the product's own, so two products can never own one slug or SKU.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from boto3.dynamodb.conditions import Attr, ConditionBase
from boto3.dynamodb.conditions import Key as KeyIs

from vitrina.catalogue.errors import ProductChanged, SkuTaken, SlugTaken
from vitrina.catalogue.model import Category, ListedProduct, Order, Product
from vitrina.catalogue.plain import (
    listed_from_plain,
    listed_to_plain,
    product_from_plain,
    product_to_plain,
    time_to_plain,
)
from vitrina.platform.dynamo import Collision, DynamoTable, Item, Position

_CATEGORIES = "CATEGORIES"
_CHANGES = "CHANGES"
_LISTINGS = "LISTINGS"
# order -> (index over all, index over one category, sort key, descending)
_INDEXES: Mapping[Order, tuple[str, str, str, bool]] = {
    "newest": ("by-newest", "by-category-newest", "newest_key", True),
    "price": ("by-price", "by-category-price", "price_key", False),
    "price-desc": ("by-price", "by-category-price", "price_key", True),
}
_CHANGES_PAGE = 1000
BEGINNING = "1970-01-01T00:00:00.000000Z"
_MAX_CATEGORIES = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """That a product was written, and as which revision."""

    product_id: str
    revision: str
    written_at: str  # as ``time_to_plain`` writes it


class CatalogueStore:
    """Products, their addresses and categories. Threads may share it."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    def get(self, product_id: str) -> Product | None:
        item = self._table.get(_meta_key(product_id))
        return _product(item) if item else None

    def get_many(self, product_ids: Iterable[str]) -> list[Product]:
        """In no particular order; unknown ones are left out."""
        keys = [_meta_key(product_id) for product_id in dict.fromkeys(product_ids)]
        return [_product(item) for item in self._table.get_many(keys)]

    def id_of_slug(self, slug: str) -> str | None:
        """The product that has, or had, this slug."""
        item = self._table.get(_slug_key(slug))
        return item["product_id"] if item else None

    def id_of_sku(self, sku: str) -> str | None:
        item = self._table.get(_sku_key(sku))
        return item["product_id"] if item else None

    def owners(self, slugs: Collection[str], skus: Collection[str]) -> dict[str, str]:
        """Which product owns each of these; free ones are left out. Slugs and SKUs never clash:
        one is lower-case, the other in capitals, but for those of digits only, which is why the
        keys of the answer are those of the table: ``SLUG#…`` and ``SKU#…``."""
        keys = [_slug_key(slug) for slug in slugs] + [_sku_key(sku) for sku in skus]
        return {item["pk"]: item["product_id"] for item in self._table.get_many(keys)}

    def save(self, product: Product, *, now: datetime) -> Product:
        """Write a product unless someone else wrote it since it was read.

        A changed slug keeps the old one as a way to the product; a SKU that is gone becomes free.

        Raises:
            ProductChanged: someone else was faster; read again and repeat.
            SlugTaken, SkuTaken: another product owns it. Nothing was written.
        """
        before = self.get(product.id)
        if (before.revision if before else "") != product.revision:
            raise ProductChanged(product.slug)
        saved = replace(product, revision=uuid4().hex)
        puts: list[tuple[Item, ConditionBase | None]] = [
            (_meta_item(saved, now), _unchanged(product.revision))
        ]
        deletes: list[Position] = []
        if saved.is_published:
            puts.append((_listing_item(saved), None))
        elif before and before.is_published:
            deletes.append(_listing_key(saved.id))
        mine = Attr("pk").not_exists() | Attr("product_id").eq(saved.id)
        if before is None or before.slug != saved.slug:
            puts.append(({**_slug_key(saved.slug), "product_id": saved.id}, mine))
        held = {variant.sku for variant in before.variants} if before else set()
        wanted = {variant.sku for variant in saved.variants}
        puts += [({**_sku_key(sku), "product_id": saved.id}, mine) for sku in sorted(wanted - held)]
        deletes += [_sku_key(sku) for sku in sorted(held - wanted)]
        try:
            self._table.write_all_or_nothing(puts, deletes)
        except Collision as collision:
            match str(collision.found.get("pk", "")).partition("#"):
                case ("SLUG", _, slug):
                    raise SlugTaken(slug) from collision
                case ("SKU", _, sku):
                    raise SkuTaken(sku) from collision
            # When an answer is lost the SDK sends the write again, and meets its own first try.
            if collision.found.get("revision") != saved.revision:
                raise ProductChanged(product.slug) from collision
        return saved

    def listed(
        self, order: Order, *, category: str | None, limit: int, after: str | None = None
    ) -> list[ListedProduct]:
        """Up to ``limit`` published products, of one category or of all.

        Args:
            after: the ``place_of`` the product where the stretch before this one ended.
        """
        over_all, over_category, sort_key, descending = _INDEXES[order]
        partition = _listing_partition(category)
        position: Position | None = None
        if after is not None:
            listing_key = _listing_key(after.rpartition("#")[2])
            position = {**listing_key, **partition, sort_key: after}
        ((partition_name, partition_value),) = partition.items()
        found: list[ListedProduct] = []
        # DynamoDB ends a page early at 1 MB, so one query may not be enough.
        while len(found) < limit:
            items, position = self._table.query(
                KeyIs(partition_name).eq(partition_value),
                index=over_all if category is None else over_category,
                limit=limit - len(found),
                after=position,
                descending=descending,
            )
            found += [listed_from_plain(json.loads(item["body"])) for item in items]
            if position is None:
                break
        return found

    def products(self) -> Iterator[Product]:
        """Every product, whatever its state, in no particular order. Reads the whole table."""
        for item in self._table.scan():
            if item["sk"] == "META":
                yield _product(item)

    def changes(self, since: str) -> Iterator[Change]:
        """Which products were written at ``since`` or later, oldest first."""
        position: Position | None = None
        while True:
            items, position = self._table.query(
                KeyIs("change_key").eq(_CHANGES) & KeyIs("changed_key").gte(since),
                index="by-change",
                limit=_CHANGES_PAGE,
                after=position,
            )
            for item in items:
                written_at, _, revision = item["changed_key"].partition("#")
                yield Change(item["pk"].removeprefix("PRODUCT#"), revision, written_at)
            if position is None:
                return

    def last_change(self) -> str:
        """When a product was last written; the beginning of time when none ever was."""
        items, _ = self._table.query(
            KeyIs("change_key").eq(_CHANGES), index="by-change", limit=1, descending=True
        )
        return str(items[0]["changed_key"]).partition("#")[0] if items else BEGINNING

    def categories(self) -> tuple[Category, ...]:
        """All categories in the order they are shown."""
        items, _ = self._table.query(KeyIs("pk").eq(_CATEGORIES), limit=_MAX_CATEGORIES)
        found = [
            Category(item["sk"], item["title"], item["position"], item["blurb"]) for item in items
        ]
        return tuple(sorted(found, key=lambda category: (category.position, category.title)))

    def save_category(self, category: Category) -> None:
        self._table.put(
            {
                "pk": _CATEGORIES,
                "sk": category.slug,
                "title": category.title,
                "position": category.position,
                "blurb": category.blurb,
            }
        )


def place_of(listed: ListedProduct, order: Order) -> str:
    """The place of a product in a listing, to go on after it."""
    return _sort_keys(listed)[_INDEXES[order][2]]


def _meta_item(product: Product, now: datetime) -> Item:
    return {
        **_meta_key(product.id),
        "revision": product.revision,
        "slug": product.slug,
        "state": product.state.value,
        "change_key": _CHANGES,
        "changed_key": f"{time_to_plain(now)}#{product.revision}",
        "body": _json(product_to_plain(product)),
    }


def _listing_item(product: Product) -> Item:
    listed = ListedProduct.of(product)
    item: Item = {
        **_listing_key(product.id),
        "listing_key": _LISTINGS,
        **_sort_keys(listed),
        "body": _json(listed_to_plain(listed)),
    }
    if product.category:
        item |= _listing_partition(product.category)
    return item


def _sort_keys(listed: ListedProduct) -> dict[str, str]:
    """The id at the end keeps the order of equals, and each key its own."""
    return {
        "newest_key": f"{time_to_plain(listed.listed_at)}#{listed.id}",
        "price_key": f"{listed.lowest_price.minor:012d}#{listed.id}",
    }


def _listing_partition(category: str | None) -> dict[str, str]:
    if category is None:
        return {"listing_key": _LISTINGS}
    return {"category_key": f"CATEGORY#{category}"}


def _unchanged(revision: str) -> ConditionBase:
    return Attr("revision").eq(revision) if revision else Attr("pk").not_exists()


def _product(item: Item) -> Product:
    return product_from_plain(json.loads(item["body"]), revision=item["revision"])


# One text instead of nested DynamoDB values: boto3 unpacks those value by value in Python.
def _json(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _meta_key(product_id: str) -> Position:
    return {"pk": f"PRODUCT#{product_id}", "sk": "META"}


def _listing_key(product_id: str) -> Position:
    return {"pk": f"PRODUCT#{product_id}", "sk": "LISTING"}


def _slug_key(slug: str) -> Position:
    return {"pk": f"SLUG#{slug}", "sk": "SLUG"}


def _sku_key(sku: str) -> Position:
    return {"pk": f"SKU#{sku}", "sk": "SKU"}
