"""The catalogue as JSON: what the API shows of a product, a listing, a search."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vitrina.catalogue.model import (
    Availability,
    CategorySummary,
    Count,
    Facets,
    ListedProduct,
    Page,
    Product,
    Results,
    Variant,
    asset_url,
)
from vitrina.kernel.money import Money
from vitrina.models3d.model import Poster, viewer_json

Stocks = Mapping[str, Availability]  # by stock key

_MONEY: dict[str, Any] = {"amount": 12950, "currency": "EUR", "formatted": "€129.50"}
_POSTER: dict[str, Any] = {
    "url": "/assets/posters/5f1c0d2b9a7e48c3b6d1f0a2e4c68b97.webp",
    "width": 1024,
    "height": 1024,
}
_LISTED: dict[str, Any] = {
    "slug": "oak-chair",
    "title": "Oak chair",
    "summary": "A chair that is light enough to follow you to the window.",
    "category": "chairs",
    "tags": ["oak", "dining"],
    "price_from": _MONEY,
    "price_to": _MONEY,
    "options": [{"name": "Finish", "values": ["Oak", "Walnut"]}],
    "poster": _POSTER,
    "availability": "in_stock",
}
_VARIANT: dict[str, Any] = {
    "sku": "OAK-CHAIR-OAK",
    "choices": {"Finish": "Oak"},
    "price": _MONEY,
    "availability": "in_stock",
    "material_variant": "oak",
    "poster": _POSTER,
}
_FACETS: dict[str, Any] = {
    "categories": [{"value": "chairs", "count": 7}],
    "tags": [{"value": "dining", "count": 4}],
    "options": {"Finish": [{"value": "Oak", "count": 7}]},
    "price_from": _MONEY,
    "price_to": _MONEY,
}
_CATEGORY: dict[str, Any] = {
    "slug": "chairs",
    "title": "Chairs",
    "blurb": "To sit down, and to stay.",
    "count": 7,
    "poster": _POSTER,
}
_VIEWER: dict[str, Any] = {
    "version": 1,
    "tier": "full",
    "levels": [
        {
            "name": "full",
            "url": "/assets/models/0b54c2e1a9d84f63a7c5e2190d3b8f46.glb",
            "bytes": 48211,
            "triangles": 9120,
        }
    ],
    "variants": ["oak", "walnut"],
    "posters": {"": _POSTER["url"]},
    "bounds": {"min": [-0.24, 0.0, -0.26], "max": [0.24, 0.81, 0.26]},
}


class MoneyView(BaseModel):
    """An amount of money."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MONEY]})

    amount: int = Field(description="In minor units of the currency: cents for EUR, yen for JPY")
    currency: str = Field(description="ISO 4217 code")
    formatted: str = Field(description="For people")

    @classmethod
    def of(cls, money: Money) -> "MoneyView":
        return cls(amount=money.minor, currency=money.currency, formatted=str(money))


class PosterView(BaseModel):
    """A still picture of the 3D model."""

    model_config = ConfigDict(json_schema_extra={"examples": [_POSTER]})

    url: str = Field(description="Relative to the shop's address; its content never changes")
    width: int = Field(description="Pixels")
    height: int = Field(description="Pixels")

    @classmethod
    def of(cls, poster: Poster) -> "PosterView":
        return cls(url=asset_url(poster.key), width=poster.width_px, height=poster.height_px)


class OptionView(BaseModel):
    """A choice the shopper has, with its values in the order they are shown."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Finish", "values": ["Oak", "Walnut"]}]}
    )

    name: str
    values: list[str]


class ListedProductView(BaseModel):
    """A product as a list shows it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LISTED]})

    slug: str = Field(description="Its address: `/p/{slug}` in the shop, `/products/{slug}` here")
    title: str
    summary: str
    category: str = Field(description="Slug of its category; empty when it is in none")
    tags: list[str]
    price_from: MoneyView = Field(description="Of its cheapest variant")
    price_to: MoneyView = Field(description="Of its dearest variant")
    options: list[OptionView]
    poster: PosterView | None = Field(description="Null while it has no picture")
    availability: Availability = Field(
        description="The best of its variants; unknown while the stock cannot be read"
    )

    @classmethod
    def of(cls, listed: ListedProduct, stocks: Stocks) -> "ListedProductView":
        return cls(
            slug=listed.slug,
            title=listed.title,
            summary=listed.summary,
            category=listed.category,
            tags=list(listed.tags),
            price_from=MoneyView.of(listed.lowest_price),
            price_to=MoneyView.of(listed.highest_price),
            options=[OptionView(name=o.name, values=list(o.values)) for o in listed.options],
            poster=PosterView.of(listed.poster) if listed.poster else None,
            availability=Availability.best(stocks[key] for key in listed.stock_keys),
        )


class VariantView(BaseModel):
    """What one puts into the cart."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VARIANT]})

    sku: str
    choices: dict[str, str] = Field(description="One value for each option of the product")
    price: MoneyView
    availability: Availability
    material_variant: str = Field(
        description="The look the 3D view shows for it (KHR_materials_variants); empty: as it comes"
    )
    poster: PosterView | None = Field(description="Null while it has no picture")

    @classmethod
    def of(cls, product: Product, variant: Variant, stocks: Stocks) -> "VariantView":
        poster = product.poster(variant.material_variant)
        names = [option.name for option in product.options]
        return cls(
            sku=variant.sku,
            choices=dict(zip(names, variant.choices, strict=True)),
            price=MoneyView.of(variant.price),
            availability=stocks[variant.stock_key],
            material_variant=variant.material_variant,
            poster=PosterView.of(poster) if poster else None,
        )


class DimensionsView(BaseModel):
    """Outer size, metres."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"width": 0.48, "height": 0.81, "depth": 0.52}]}
    )

    width: float
    height: float
    depth: float


class ProductView(BaseModel):
    """A product with everything a page about it needs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **{name: _LISTED[name] for name in ("slug", "title", "summary")},
                    "description": "Solid oak, oiled.\n\nSeat height 46 cm.",
                    **{name: _LISTED[name] for name in ("category", "tags", "options")},
                    "variants": [_VARIANT],
                    "dimensions": {"width": 0.48, "height": 0.81, "depth": 0.52},
                    "model": _VIEWER,
                    "updated_at": "2026-03-01T12:00:00Z",
                }
            ]
        }
    )

    slug: str
    title: str
    summary: str
    description: str = Field(description="Plain text; blank lines separate paragraphs")
    category: str = Field(description="Slug of its category; empty when it is in none")
    tags: list[str]
    options: list[OptionView]
    variants: list[VariantView] = Field(description="The first is the one shown first")
    dimensions: DimensionsView | None
    model: dict[str, Any] | None = Field(
        description="The 3D model as `<product-3d>` reads it: levels, looks, posters, bounds"
    )
    updated_at: datetime

    @classmethod
    def of(cls, product: Product, stocks: Stocks) -> "ProductView":
        size = product.dimensions
        return cls(
            slug=product.slug,
            title=product.title,
            summary=product.summary,
            description=product.description,
            category=product.category,
            tags=list(product.tags),
            options=[OptionView(name=o.name, values=list(o.values)) for o in product.options],
            variants=[VariantView.of(product, variant, stocks) for variant in product.variants],
            dimensions=DimensionsView(width=size.width_m, height=size.height_m, depth=size.depth_m)
            if size
            else None,
            model=viewer_json(product.model, asset_url) if product.model else None,
            updated_at=product.updated_at,
        )


class PageView(BaseModel):
    """A stretch of a listing."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_LISTED], "next_cursor": "mE1sZ3s0MjAyNi0wMy0"}]}
    )

    items: list[ListedProductView]
    next_cursor: str | None = Field(description="Ask with it for the next stretch; null at the end")

    @classmethod
    def of(cls, page: Page, stocks: Stocks) -> "PageView":
        items = [ListedProductView.of(listed, stocks) for listed in page.items]
        return cls(items=items, next_cursor=page.next_cursor)


class CountView(BaseModel):
    """How many results would be left with this value chosen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": "Oak", "count": 7}]})

    value: str
    count: int

    @classmethod
    def of(cls, count: Count) -> "CountView":
        return cls(value=count.value, count=count.count)


class FacetsView(BaseModel):
    """What the results can be narrowed by, each counted under all filters except its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FACETS]})

    categories: list[CountView]
    tags: list[CountView] = Field(description="Counted under all filters: tags narrow further")
    options: dict[str, list[CountView]] = Field(
        description="By option name, such as Finish; counted under all filters"
    )
    price_from: MoneyView | None = Field(description="Null without results")
    price_to: MoneyView | None = Field(description="Null without results")

    @classmethod
    def of(cls, facets: Facets) -> "FacetsView":
        lowest, highest = facets.lowest_price, facets.highest_price
        return cls(
            categories=[CountView.of(count) for count in facets.categories],
            tags=[CountView.of(count) for count in facets.tags],
            options={name: [CountView.of(c) for c in counts] for name, counts in facets.options},
            price_from=MoneyView.of(lowest) if lowest else None,
            price_to=MoneyView.of(highest) if highest else None,
        )


class ResultsView(BaseModel):
    """What a search found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [_LISTED],
                    "total": 1,
                    "next_cursor": None,
                    "corrected": "oak chair",
                    "relaxed": False,
                    "facets": _FACETS,
                }
            ]
        }
    )

    items: list[ListedProductView]
    total: int = Field(description="Of all stretches together")
    next_cursor: str | None = Field(description="Ask with it for the next stretch; null at the end")
    corrected: str | None = Field(
        description="The query that was answered, when the one asked seemed to hold typos"
    )
    relaxed: bool = Field(description="Nothing had all the words, so these have some of them")
    facets: FacetsView

    @classmethod
    def of(cls, results: Results, stocks: Stocks) -> "ResultsView":
        return cls(
            items=[ListedProductView.of(listed, stocks) for listed in results.items],
            total=results.total,
            next_cursor=results.next_cursor,
            corrected=results.corrected,
            relaxed=results.relaxed,
            facets=FacetsView.of(results.facets),
        )


class CategoryView(BaseModel):
    """A shelf of the shop."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CATEGORY]})

    slug: str
    title: str
    blurb: str
    count: int = Field(description="Published products")
    poster: PosterView | None = Field(description="Of its newest product; null without one")

    @classmethod
    def of(cls, category: CategorySummary) -> "CategoryView":
        return cls(
            slug=category.slug,
            title=category.title,
            blurb=category.blurb,
            count=category.count,
            poster=PosterView.of(category.poster) if category.poster else None,
        )


class CategoriesView(BaseModel):
    """All categories in the order they are shown."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_CATEGORY]}]})

    items: list[CategoryView]
