"""The catalogue over HTTP: products, listings, search, categories. All of it is public."""

from collections.abc import Iterable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import StringConstraints

from vitrina.catalogue import service
from vitrina.catalogue.cursors import MAX_CURSOR_LENGTH
from vitrina.catalogue.errors import BadCursor, UnknownCategory, UnknownProduct
from vitrina.catalogue.model import (
    MAX_NAME_LENGTH,
    MAX_OPTIONS,
    MAX_PRICE_MINOR,
    MAX_SLUG_LENGTH,
    MAX_TAGS,
    ListedProduct,
    Order,
)
from vitrina.catalogue.search import MAX_QUERY_LENGTH, SearchOrder
from vitrina.catalogue.service import MAX_LIMIT, Catalogue
from vitrina.catalogue.views import (
    CategoriesView,
    CategoryView,
    PageView,
    ProductView,
    ResultsView,
    Stocks,
)
from vitrina.kernel.money import Money
from vitrina.platform.dynamo import StoreUnavailable
from vitrina.platform.web import problems, services

router = APIRouter(tags=["catalogue"])


class Shop(Protocol):
    """What these routes need of the shop."""

    @property
    def catalogue(self) -> Catalogue: ...


ShopDep = Annotated[Shop, Depends(services)]

# A page cache or a CDN may keep an answer for seconds, and longer while the shop is down.
_PUBLIC = {"Cache-Control": "public, max-age=0, s-maxage=5, stale-if-error=600"}

Slug = Annotated[str, Path(description="The product's address", examples=["oak-chair"])]
Category = Annotated[
    str | None,
    Query(max_length=MAX_SLUG_LENGTH, description="Slug of a category", examples=["chairs"]),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most so many items")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR_LENGTH,
        description="The next_cursor of the stretch before; without it the first stretch",
    ),
]
Price = Annotated[
    int | None,
    Query(
        ge=0, le=MAX_PRICE_MINOR, description="Minor units of the shop's currency", examples=[12950]
    ),
]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH)]
Choice = Annotated[
    str, StringConstraints(pattern=r"^[^:]+:.+$", max_length=2 * MAX_NAME_LENGTH + 1)
]


@router.get("/products", responses=problems(UnknownCategory, BadCursor, StoreUnavailable))
def list_products(
    shop: ShopDep,
    response: Response,
    category: Category = None,
    order: Annotated[Order, Query(description="What comes first")] = "newest",
    limit: Limit = 24,
    cursor: Cursor = None,
) -> PageView:
    """List published products, of one category or of all.

    Going on by cursor meets each product once, also while others are being added.
    """
    page = service.list_products(
        shop.catalogue, category=category, order=order, limit=limit, cursor=cursor
    )
    response.headers.update(_PUBLIC)
    return PageView.of(page, _stocks(shop.catalogue, page.items))


@router.get(
    "/products/{slug}",
    responses={
        **problems(UnknownProduct, StoreUnavailable),
        308: {"description": "A former address; `Location` is the present one"},
    },
)
def get_product(shop: ShopDep, response: Response, slug: Slug) -> ProductView:
    """Everything about one product, with the price and availability of each variant."""
    product = service.get_product(shop.catalogue, slug)
    stocks = service.availability(shop.catalogue, product.stock_keys)
    if product.slug != slug:
        response.status_code = 308
        response.headers["Location"] = product.slug
    response.headers.update(_PUBLIC)
    return ProductView.of(product, stocks)


@router.get("/search", responses=problems(BadCursor, StoreUnavailable))
def search_products(
    shop: ShopDep,
    response: Response,
    *,
    q: Annotated[
        str, Query(max_length=MAX_QUERY_LENGTH, description="Words", examples=["oak chair"])
    ] = "",
    category: Category = None,
    tag: Annotated[
        list[Tag],
        Query(
            default_factory=list,
            max_length=MAX_TAGS,
            description="All of these tags",
            examples=[["dining"]],
        ),
    ],
    option: Annotated[
        list[Choice],
        Query(
            default_factory=list,
            max_length=MAX_OPTIONS,
            description="All of these options, each as `name:value`",
            examples=[["Finish:Oak"]],
        ),
    ],
    price_min: Price = None,
    price_max: Price = None,
    order: Annotated[SearchOrder, Query(description="What comes first")] = "relevance",
    limit: Limit = 24,
    cursor: Cursor = None,
) -> ResultsView:
    """Search published products by words, and narrow the results by facets.

    The last letters of a word may be missing and a typo or two are forgiven. Without words all
    products match. Letters' case and accents make no difference.
    """
    currency = shop.catalogue.currency
    results = service.search_products(
        shop.catalogue,
        q,
        category=category,
        tags=tag,
        options=[_choice(pair) for pair in option],
        price_min=None if price_min is None else Money(price_min, currency),
        price_max=None if price_max is None else Money(price_max, currency),
        order=order,
        limit=limit,
        cursor=cursor,
    )
    response.headers.update(_PUBLIC)
    return ResultsView.of(results, _stocks(shop.catalogue, results.items))


@router.get("/categories", responses=problems(StoreUnavailable))
def list_categories(shop: ShopDep, response: Response) -> CategoriesView:
    """All categories in the order they are shown."""
    response.headers.update(_PUBLIC)
    return CategoriesView(items=[CategoryView.of(c) for c in service.categories(shop.catalogue)])


def _choice(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition(":")
    return name, value


def _stocks(catalogue: Catalogue, items: Iterable[ListedProduct]) -> Stocks:
    return service.availability(catalogue, (key for listed in items for key in listed.stock_keys))
