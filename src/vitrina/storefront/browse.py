"""Pages for looking around: home, categories, search, products. The same for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.cursors import MAX_CURSOR_LENGTH
from vitrina.catalogue.model import (
    MAX_NAME_LENGTH,
    MAX_OPTIONS,
    MAX_SKU_LENGTH,
    MAX_SLUG_LENGTH,
    Availability,
    Facets,
    ListedProduct,
    Product,
    Results,
    asset_url,
)
from vitrina.catalogue.search import MAX_QUERY_LENGTH, SearchOrder
from vitrina.checkout.delivery import Zone, tariff
from vitrina.kernel.money import Money
from vitrina.models3d.model import viewer_json
from vitrina.storefront import linked_data
from vitrina.storefront.drawing import centimetres
from vitrina.storefront.lineup import line_up
from vitrina.storefront.shop import Shop, ShopDep, all_rooms, public_page
from vitrina.storefront.views import (
    RELATED,
    Card,
    Meta,
    ProductView,
    Room,
    card,
    index_rows,
    nearest_variant,
    product_view,
)

router = APIRouter()

PAGE_SIZE = 24
NEWEST = 5  # one large, four small
INDEXED = 60  # of the newest products, for the pictures of the index
LINED_UP = 16  # of the newest products, at most, side by side at one scale
FEATURED = "featured"  # the newest product with this tag stands at the front

STOCK_WORDS = {
    Availability.IN_STOCK: "In stock",
    Availability.FEW_LEFT: "Only a few left",
    Availability.SOLD_OUT: "Sold out in this version",
    Availability.UNKNOWN: "Availability is checked at checkout",
}
SORTS: Mapping[SearchOrder, str] = {
    "relevance": "Best match",
    "newest": "Newest",
    "price": "Price, low to high",
    "price-desc": "Price, high to low",
}

Words = Annotated[str, Query(max_length=MAX_QUERY_LENGTH)]
Choices = Annotated[list[str], Query(max_length=MAX_OPTIONS + 1)]
Amount = Annotated[str, Query(max_length=20)]
Chosen = Annotated[str, Query(max_length=MAX_NAME_LENGTH)]
Cursor = Annotated[str, Query(max_length=MAX_CURSOR_LENGTH)]


@router.get("/")
def home(shop: ShopDep) -> Response:
    """One product in front, what the shop is, what is new, what there is."""
    rooms = all_rooms(shop)
    listed = catalogue_service.list_products(shop.catalogue, limit=INDEXED).items
    hero = _featured(shop, listed, rooms)
    newest = [item for item in listed if not hero or item.id != hero.product.id][:NEWEST]
    url, name = shop.settings.public_url, shop.settings.shop_name
    return public_page(
        shop,
        "home.html",
        categories=rooms,
        page=Meta(
            title=f"{name}: furniture and objects, seen from every side",
            description="Furniture and objects you can walk around before they come home: to "
            "scale, in each of their finishes, right here on the page.",
            canonical="/",
            picture=hero.chosen.picture if hero else None,
            linked_data=(linked_data.script(linked_data.website(url, name)),),
        ),
        total=sum(room.count for room in rooms),
        hero=hero,
        hero_manifest=_manifest(hero.product) if hero else "",
        newest=_cards(shop, newest, rooms),
        index=index_rows(rooms, listed),
        line=line_up(
            catalogue_service.get_product(shop.catalogue, item.slug) for item in listed[:LINED_UP]
        ),
    )


@router.get("/c/{slug}")
def category(
    shop: ShopDep,
    slug: str,
    option: Choices = [],  # noqa: B006  FastAPI copies it
    price_from: Amount = "",
    price_to: Amount = "",
    sort: SearchOrder = "newest",
    cursor: Cursor = "",
) -> Response:
    """The products of a category, narrowed and sorted."""
    shelf = catalogue_service.get_category(shop.catalogue, slug)
    wish = Wish(f"/c/{slug}", "", slug, option, price_from, price_to, sort, "newest", cursor)
    description = shelf.blurb or f"{shelf.title} at {shop.settings.shop_name}, each one in 3D."
    crumbs = linked_data.breadcrumbs(shop.settings.public_url, [(f"/c/{slug}", shelf.title)])
    return _listing(
        shop,
        wish,
        heading=shelf.title,
        blurb=shelf.blurb,
        meta=Meta(
            title=shelf.title,
            description=description,
            canonical="" if wish.is_narrowed else f"/c/{slug}",
            linked_data=(linked_data.script(crumbs),),
        ),
    )


@router.get("/search")
def search(
    shop: ShopDep,
    q: Words = "",
    category: Annotated[str, Query(max_length=MAX_SLUG_LENGTH)] = "",
    option: Choices = [],  # noqa: B006  FastAPI copies it
    price_from: Amount = "",
    price_to: Amount = "",
    sort: SearchOrder | None = None,
    cursor: Cursor = "",
) -> Response:
    """Products that fit some words; without words, all there are."""
    words = " ".join(q.split())
    usual: SearchOrder = "relevance" if words else "newest"
    order = sort if sort and (words or sort != "relevance") else usual
    wish = Wish("/search", words, category, option, price_from, price_to, order, usual, cursor)
    heading = f"“{words}”" if words else "Everything"
    is_index = not (words or category or wish.is_narrowed)
    return _listing(
        shop,
        wish,
        heading=heading,
        blurb="",
        meta=Meta(
            title=heading,
            description=f"Everything at {shop.settings.shop_name}, each object in 3D.",
            canonical="/search" if is_index else "",
        ),
    )


@router.get("/p/{slug}")
def product(
    shop: ShopDep,
    slug: str,
    variant: Annotated[str, Query(max_length=MAX_SKU_LENGTH)] = "",
    choice_1: Chosen = "",
    choice_2: Chosen = "",
    choice_3: Chosen = "",
    choice_4: Chosen = "",
) -> Response:
    """One product, in one of its variants. The choices are what the page's own form sends."""
    found = catalogue_service.get_product(shop.catalogue, slug)
    choices = (choice_1, choice_2, choice_3, choice_4)
    if any(choices) or found.slug != slug or (variant and found.variant(variant) is None):
        wanted = nearest_variant(found, choices) if any(choices) else found.variant(variant)
        query = f"?{urlencode({'variant': wanted.sku})}" if wanted else ""
        return RedirectResponse(f"/p/{found.slug}{query}", 308 if found.slug != slug else 303)

    rooms = all_rooms(shop)
    available = catalogue_service.availability(shop.catalogue, found.stock_keys)
    view = product_view(found, variant or None, available, rooms)
    settings = shop.settings
    steps = [(f"/c/{view.room.slug}", view.room.title)] if view.room else []
    return public_page(
        shop,
        "product.html",
        categories=rooms,
        room=found.category,
        view=view,
        page=Meta(
            title=found.title,
            description=found.summary or found.description[:160],
            canonical=f"/p/{found.slug}",
            picture=view.chosen.picture,
            kind="product",
            linked_data=(
                linked_data.script(
                    linked_data.product(view, settings.public_url, settings.shop_name)
                ),
                linked_data.script(
                    linked_data.breadcrumbs(
                        settings.public_url, [*steps, (f"/p/{found.slug}", found.title)]
                    )
                ),
            ),
        ),
        manifest=_manifest(found),
        looks=linked_data.script(_looks(view)),
        stock_words=STOCK_WORDS,
        sizes=_sizes(found),
        tags=[tag for tag in found.tags if tag != FEATURED],
        delivery=_delivery(settings.currency),
        related=_related(shop, found, rooms),
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see of a listing, as the address says it."""

    path: str
    words: str
    category: str
    options: Sequence[str]  # such as "Finish:Oak"; empty ones come from untouched controls
    price_from: str
    price_to: str
    sort: SearchOrder
    usual_sort: SearchOrder
    cursor: str

    @property
    def choices(self) -> list[tuple[str, str]]:
        pairs = (entry.split(":", 1) for entry in self.options if ":" in entry)
        return [
            (name, value) for name, value in pairs if 0 < len(name) + len(value) <= MAX_NAME_LENGTH
        ]

    @property
    def is_filtered(self) -> bool:
        return bool(self.choices or self.price_from or self.price_to)

    @property
    def is_narrowed(self) -> bool:
        """Whether it is anything but the plain first page."""
        return self.is_filtered or bool(self.cursor) or self.sort != self.usual_sort

    def address(self, *, cursor: str = "", without_filters: bool = False) -> str:
        """The address of the same wish, elsewhere in the listing or without its filters."""
        query = [("q", self.words)] if self.words else []
        if self.category and self.path == "/search":
            query.append(("category", self.category))
        if not without_filters:
            query += [("option", f"{name}:{value}") for name, value in self.choices]
            query += [("price_from", self.price_from)] if self.price_from else []
            query += [("price_to", self.price_to)] if self.price_to else []
        if self.sort != self.usual_sort:
            query.append(("sort", self.sort))
        if cursor:
            query.append(("cursor", cursor))
        return f"{self.path}?{urlencode(query)}" if query else self.path


def _listing(shop: Shop, wish: Wish, *, heading: str, blurb: str, meta: Meta) -> Response:
    currency = shop.settings.currency
    price_from, price_to = _amount(wish.price_from, currency), _amount(wish.price_to, currency)
    found = catalogue_service.search_products(
        shop.catalogue,
        wish.words,
        category=wish.category or None,
        options=wish.choices,
        price_min=price_from,
        price_max=price_to,
        order=wish.sort,
        limit=PAGE_SIZE,
        cursor=wish.cursor or None,
    )
    rooms = all_rooms(shop)
    is_search = wish.path == "/search"
    unread = [
        text
        for text, amount in ((wish.price_from, price_from), (wish.price_to, price_to))
        if text and amount is None
    ]
    return public_page(
        shop,
        "listing.html",
        categories=rooms,
        room="search" if is_search else wish.category,
        page=meta,
        heading=heading,
        blurb=blurb,
        is_search=is_search,
        wish=wish,
        unread=unread,
        found=found,
        filters=_filters(found.facets, wish.choices, found.total),
        sorts=[
            (value, name) for value, name in SORTS.items() if wish.words or value != "relevance"
        ],
        cards=_cards(shop, found.items, rooms),
        shape=_shape(found, is_first=not wish.cursor),
        next_url=wish.address(cursor=found.next_cursor) if found.next_cursor else "",
        first_url=wish.address() if wish.cursor else "",
        clear_url=wish.address(without_filters=True),
    )


def _shape(found: Results, *, is_first: bool) -> str:
    """How the shelf is laid out: a few objects get more room than many."""
    count = len(found.items)
    if not is_first or count not in (1, 2, 3, 5, 6, 9):
        return ""
    return {1: "alone", 2: "pair"}.get(count, "by-three")


def _filters(
    facets: Facets, chosen: Sequence[tuple[str, str]], total: int
) -> list[tuple[str, list[tuple[str, str, int, bool]]]]:
    """Per option its name and values: what is sent, what is shown, how many, whether chosen.

    Options that matter to few of the results are left out, unless one of their values is chosen:
    nobody narrows a house full of furniture by the glaze of its mugs.
    """
    names = {name for name, _ in chosen}
    return [
        (
            name,
            [
                (f"{name}:{count.value}", count.value, count.count, (name, count.value) in chosen)
                for count in counts
            ],
        )
        for name, counts in facets.options
        if name in names or max((count.count for count in counts), default=0) >= total / 4
    ]


def _amount(text: str, currency: str) -> Money | None:
    """What somebody typed as a price: ``120``, ``120.50``, ``120,50``, with or without a sign."""
    plain = "".join(sign for sign in text if sign.isdigit() or sign in ".,-").replace(",", ".")
    try:
        amount = Money.parse(plain, currency) if plain else None
    except ValueError:
        return None
    return amount if amount is not None and amount.minor >= 0 else None


def _featured(
    shop: Shop, listed: Sequence[ListedProduct], rooms: Sequence[Room]
) -> ProductView | None:
    tagged = (item for item in listed if FEATURED in item.tags and item.poster)
    chosen = next(tagged, None) or next((item for item in listed if item.poster), None)
    if chosen is None:
        return None
    found = catalogue_service.get_product(shop.catalogue, chosen.slug)
    return product_view(found, None, {}, rooms)


def _related(shop: Shop, shown: Product, rooms: Sequence[Room]) -> list[Card]:
    """Neighbours from the same category; where it has too few, the newest of all."""
    items: dict[str, ListedProduct] = {}
    for category in (shown.category or None, None):
        if len(items) < RELATED:
            page = catalogue_service.list_products(
                shop.catalogue, category=category, limit=2 * RELATED
            )
            items |= {item.id: item for item in page.items if item.id not in items}
            items.pop(shown.id, None)
    return _cards(shop, list(items.values())[:RELATED], rooms)


def _cards(shop: Shop, items: Sequence[ListedProduct], rooms: Sequence[Room]) -> list[Card]:
    keys = [key for item in items for key in item.stock_keys]
    available = catalogue_service.availability(shop.catalogue, keys)
    return [card(item, rooms, available) for item in items]


def _manifest(shown: Product) -> str:
    """What ``<product-3d>`` reads; empty without a model."""
    return linked_data.script(viewer_json(shown.model, asset_url)) if shown.model else ""


def _looks(view: ProductView) -> list[dict[str, Any]]:
    """What the page's script needs to show another variant."""
    return [
        {
            "sku": look.sku,
            "choices": look.choices,
            "label": f"{view.product.title}, {look.name}",
            "price": str(look.price),
            "material": look.material,
            "poster": look.picture.url if look.picture else "",
            "stock": look.availability,
            "words": STOCK_WORDS[look.availability],
        }
        for look in view.looks
    ]


def _sizes(shown: Product) -> dict[str, str]:
    if shown.dimensions is None:
        return {}
    return {
        "width": centimetres(shown.dimensions.width_m),
        "height": centimetres(shown.dimensions.height_m),
        "depth": centimetres(shown.dimensions.depth_m),
    }


def _delivery(currency: str) -> list[str]:
    within, beyond = tariff(Zone.EU, currency), tariff(Zone.NEIGHBOURS, currency)
    return [
        f"Within the European Union {within.price}, free from {within.free_from}. To Norway, "
        f"Switzerland and the United Kingdom {beyond.price}, free from {beyond.free_from}.",
        "Changed your mind? Tell us within 14 days of its arrival, without giving a reason.",
    ]
