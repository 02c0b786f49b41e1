"""What one can do with the catalogue: look, search, and, as a merchant, change it.

Shoppers' reads go through memory: a few seconds old at most (``Settings.catalogue_max_age_s``),
at once after a write by this process. Merchants' reads and all writes go to the table.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from vitrina.catalogue import stock
from vitrina.catalogue.cursors import from_cursor, to_cursor
from vitrina.catalogue.errors import (
    BadCursor,
    UnknownCategory,
    UnknownProduct,
    UnknownSku,
    WrongCurrency,
)
from vitrina.catalogue.model import (
    Availability,
    Category,
    CategorySummary,
    Order,
    Page,
    Product,
    PublicationState,
    Results,
    Variant,
    is_sku,
    is_slug,
)
from vitrina.catalogue.search import Filters, Search, SearchOrder
from vitrina.catalogue.store import CatalogueStore, place_of
from vitrina.kernel.errors import Unavailable
from vitrina.kernel.money import Money
from vitrina.platform.cache import Cache, Limits
from vitrina.platform.dynamo import DynamoTable

MAX_LIMIT = 100
# While a neighbour is down the shop can be browsed with what it remembers, this long.
MAX_STALE_S = 3600.0
# How old a stock level may be that a shopper is shown; the checkout decides on the real one.
STOCK_AGE_S = 2.0

_PLACE = re.compile(r"[^#]{1,40}#[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the use cases take: the store, the search, and what is remembered of both."""

    store: CatalogueStore
    search: Search
    db: Engine  # stock
    currency: str  # all prices are in it
    ids_by_slug: Cache[str, str]
    ids_by_sku: Cache[str, str]
    products: Cache[str, Product]  # by id, in whatever state
    listings: Cache[tuple[Order, str | None, int, str | None], Page]
    shelves: Cache[str, tuple[Category, ...]]  # one entry: all categories
    levels: Cache[tuple[str, ...], dict[str, int]]  # pieces by stock key, for keys shown together

    @classmethod
    def over(
        cls,
        table: DynamoTable,
        db: Engine,
        *,
        currency: str,
        max_age_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> "Catalogue":
        """A catalogue over its table and the stock. Connects to nothing yet.

        Args:
            max_age_s: seconds a read may be served from memory; 0 remembers nothing.
            clock: seconds of a clock that never goes back.
        """
        store = CatalogueStore(table)
        pointers = Limits(20_000, max_age_s, MAX_STALE_S)
        return cls(
            store=store,
            search=Search(store, max_age_s=max_age_s, clock=clock),
            db=db,
            currency=currency,
            ids_by_slug=Cache(pointers, clock),
            ids_by_sku=Cache(pointers, clock),
            products=Cache(Limits(2_000, max_age_s, MAX_STALE_S), clock),
            listings=Cache(Limits(500, max_age_s, MAX_STALE_S), clock),
            shelves=Cache(Limits(1, max_age_s, MAX_STALE_S), clock),
            levels=Cache(Limits(5_000, min(max_age_s, STOCK_AGE_S), MAX_STALE_S), clock),
        )


def get_product(catalogue: Catalogue, slug: str) -> Product:
    """A published product by its address.

    A former address leads to the product too: its ``slug`` then differs from the one asked for,
    and a page answers with a redirect.

    Raises:
        UnknownProduct: there is none, or shoppers may not see it.
    """

    def look_up() -> str:
        product_id = catalogue.store.id_of_slug(slug)
        if product_id is None:
            raise UnknownProduct(slug)
        return product_id

    if not is_slug(slug):
        raise UnknownProduct(slug)
    product = _remembered(catalogue, catalogue.ids_by_slug.get(slug, look_up))
    if product is None or not product.is_published:
        raise UnknownProduct(slug)
    return product


def find_variant(catalogue: Catalogue, sku: str) -> tuple[Product, Variant]:
    """What is sold under a SKU, with its product.

    Raises:
        UnknownSku: nothing is, or not any more.
    """

    def look_up() -> str:
        product_id = catalogue.store.id_of_sku(sku)
        if product_id is None:
            raise UnknownSku(sku)
        return product_id

    if not is_sku(sku):
        raise UnknownSku(sku)
    product = _remembered(catalogue, catalogue.ids_by_sku.get(sku, look_up))
    variant = product.variant(sku) if product and product.is_published else None
    if product is None or variant is None:
        raise UnknownSku(sku)
    return product, variant


def list_products(
    catalogue: Catalogue,
    *,
    category: str | None = None,
    order: Order = "newest",
    limit: int = 24,
    cursor: str | None = None,
) -> Page:
    """A stretch of the published products, of one category or of all.

    Args:
        limit: 1 to ``MAX_LIMIT``.
        cursor: the ``next_cursor`` of the stretch before; None begins.

    Raises:
        UnknownCategory: there is no such category.
        BadCursor: not given by this listing.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"{limit=}")
    if category is not None:
        get_category(catalogue, category)
    listing = f"{order} {category or ''}"
    after = from_cursor(listing, cursor) if cursor is not None else None
    if after is not None and _PLACE.fullmatch(after) is None:
        raise BadCursor

    def load() -> Page:
        # One more than asked for tells whether there is a next stretch.
        found = catalogue.store.listed(order, category=category, limit=limit + 1, after=after)
        items = tuple(found[:limit])
        more = len(found) > limit
        return Page(items, to_cursor(listing, place_of(items[-1], order)) if more else None)

    return catalogue.listings.get((order, category, limit, after), load)


def search_products(
    catalogue: Catalogue,
    query: str,
    *,
    category: str | None = None,
    tags: Sequence[str] = (),
    options: Sequence[tuple[str, str]] = (),
    price_min: Money | None = None,
    price_max: Money | None = None,
    order: SearchOrder = "relevance",
    limit: int = 24,
    cursor: str | None = None,
) -> Results:
    """Published products that match the words of a query and pass the filters.

    An empty query matches all: so a category can be narrowed by facets, too.

    Args:
        options: pairs such as ("Finish", "Oak").
        limit: 1 to ``MAX_LIMIT``.
        cursor: the ``next_cursor`` of the stretch before; None begins.

    Raises:
        BadCursor: not given by this search.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"{limit=}")
    filters = Filters(category, tuple(tags), tuple(options), price_min, price_max)
    listing = f"{order} {query!r} {filters!r}"
    mark = from_cursor(listing, cursor) if cursor is not None else "0"
    if not mark.isdecimal() or len(mark) > 9:
        raise BadCursor
    offset = int(mark)
    found = catalogue.search.find(query, filters, order=order, limit=limit, offset=offset)
    seen = offset + len(found.items)
    more = found.items and seen < found.total
    return replace(found, next_cursor=to_cursor(listing, str(seen)) if more else None)


def categories(catalogue: Catalogue) -> tuple[CategorySummary, ...]:
    """All categories in the order they are shown, with how much each holds."""
    shelves = catalogue.search.shelves()
    return tuple(
        CategorySummary(
            slug=category.slug,
            title=category.title,
            blurb=category.blurb,
            count=shelves[category.slug].count if category.slug in shelves else 0,
            poster=shelves[category.slug].poster if category.slug in shelves else None,
        )
        for category in _categories(catalogue)
    )


def get_category(catalogue: Catalogue, slug: str) -> Category:
    """
    Raises:
        UnknownCategory: there is no such category.
    """
    for category in _categories(catalogue):
        if category.slug == slug:
            return category
    raise UnknownCategory(slug)


def availability(catalogue: Catalogue, stock_keys: Iterable[str]) -> dict[str, Availability]:
    """What shoppers are told about stocks, by stock key. A few seconds old at most.

    While PostgreSQL is down and nothing is remembered, a stock is ``UNKNOWN``.
    """
    keys = tuple(dict.fromkeys(stock_keys))
    try:
        levels = catalogue.levels.get(keys, lambda: stock.levels(catalogue.db, keys))
    except Unavailable:
        return dict.fromkeys(keys, Availability.UNKNOWN)
    return {key: Availability.of(level) for key, level in levels.items()}


def find_product(catalogue: Catalogue, slug: str) -> Product:
    """A product by its address whatever its state, as it is in the table: for merchants.

    Raises:
        UnknownProduct: there is none.
    """
    product_id = catalogue.store.id_of_slug(slug) if is_slug(slug) else None
    product = catalogue.store.get(product_id) if product_id else None
    if product is None:
        raise UnknownProduct(slug)
    return product


def save_product(catalogue: Catalogue, product: Product, *, now: datetime) -> Product:
    """Write a product, new or changed.

    Returns:
        The product as written, with its new revision.

    Raises:
        WrongCurrency: priced in a currency the shop does not sell in.
        UnknownCategory: its category does not exist.
        ProductChanged, SlugTaken, SkuTaken: see ``CatalogueStore.save``. Nothing was written.
    """
    return write_product(catalogue, replace(product, updated_at=now), now=now)


def write_product(catalogue: Catalogue, product: Product, *, now: datetime) -> Product:
    """As ``save_product``, for imports: the product keeps the ``updated_at`` it comes with."""
    currency = product.variants[0].price.currency
    if currency != catalogue.currency:
        raise WrongCurrency(currency, catalogue.currency)
    if product.category and product.category not in {c.slug for c in _categories(catalogue)}:
        raise UnknownCategory(product.category)
    saved = catalogue.store.save(product, now=now)
    catalogue.products.invalidate(saved.id)
    catalogue.ids_by_slug.invalidate(saved.slug)
    for variant in saved.variants:
        catalogue.ids_by_sku.invalidate(variant.sku)
    catalogue.listings.clear()
    catalogue.search.invalidate()
    return saved


def publish(catalogue: Catalogue, slug: str, *, now: datetime) -> Product:
    """Put a product on the shelf; one that is there already stays as it is.

    Raises:
        UnknownProduct: there is none.
        ProductChanged: someone else wrote it at the same moment.
    """
    product = find_product(catalogue, slug)
    if product.is_published:
        return product
    return save_product(catalogue, product.published(now), now=now)


def archive(catalogue: Catalogue, slug: str, *, now: datetime) -> Product:
    """Take a product off the shelf; one that is archived already stays as it is.

    Raises:
        UnknownProduct: there is none.
        ProductChanged: someone else wrote it at the same moment.
    """
    product = find_product(catalogue, slug)
    if product.state is PublicationState.ARCHIVED:
        return product
    return save_product(catalogue, product.archived(now), now=now)


def save_category(catalogue: Catalogue, category: Category) -> None:
    """Write a category, new or changed."""
    catalogue.store.save_category(category)
    catalogue.shelves.clear()


def set_stock(catalogue: Catalogue, levels: Mapping[str, int]) -> None:
    """Say how many pieces there are, by stock key: all of it or, on an error, nothing.

    Raises:
        ValueError: a level is negative or beyond ``stock.MAX_LEVEL``.
    """
    with catalogue.db.begin() as tx:
        for stock_key, available in sorted(levels.items()):
            stock.set_level(tx, stock_key, available)
    catalogue.levels.clear()


def _remembered(catalogue: Catalogue, product_id: str) -> Product | None:
    def load() -> Product:
        product = catalogue.store.get(product_id)
        if product is None:
            raise UnknownProduct(product_id)
        return product

    try:
        return catalogue.products.get(product_id, load)
    except UnknownProduct:
        return None


def _categories(catalogue: Catalogue) -> tuple[Category, ...]:
    return catalogue.shelves.get("all", catalogue.store.categories)
