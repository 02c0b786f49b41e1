"""The cart as JSON: what the API shows of it, and what it takes."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from vitrina.cart.model import MAX_QUANTITY, PricedCart, PricedLine
from vitrina.catalogue.model import MAX_SKU_LENGTH, Availability
from vitrina.catalogue.views import MoneyView, PosterView

_MONEY: dict[str, Any] = {"amount": 12950, "currency": "EUR", "formatted": "€129.50"}
_LINE: dict[str, Any] = {
    "sku": "OAK-CHAIR-OAK",
    "slug": "oak-chair",
    "title": "Oak chair",
    "choices": {"Finish": "Oak"},
    "quantity": 2,
    "unit_price": _MONEY,
    "price_before": None,
    "total": {"amount": 25900, "currency": "EUR", "formatted": "€259"},
    "availability": "in_stock",
    "poster": {
        "url": "/assets/posters/5f1c0d2b9a7e48c3b6d1f0a2e4c68b97.webp",
        "width": 1024,
        "height": 1024,
    },
}

Sku = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_SKU_LENGTH,
        description="What a variant of a product is sold under",
        examples=["OAK-CHAIR-OAK"],
    ),
]


class AddItem(BaseModel):
    """Units of a product to put into the cart."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY, examples=[2])] = 1


class SetQuantity(BaseModel):
    """How many units of a product shall be in the cart."""

    model_config = ConfigDict(extra="forbid")

    quantity: Annotated[
        int, Field(strict=True, ge=0, le=MAX_QUANTITY, examples=[1], description="0 takes it out")
    ]


class CartLineView(BaseModel):
    """Units of one product at today's price."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    sku: str
    slug: str = Field(description="Of the product: `/products/{slug}`")
    title: str
    choices: dict[str, str] = Field(description="One value for each option of the product")
    quantity: int
    unit_price: MoneyView
    price_before: MoneyView | None = Field(
        description="The price it was put in at, if that has changed since"
    )
    total: MoneyView
    availability: Availability
    poster: PosterView | None = Field(description="Null while it has no picture")

    @classmethod
    def of(cls, line: PricedLine, availability: Availability) -> "CartLineView":
        product, variant = line.product, line.variant
        poster = product.poster(variant.material_variant)
        return cls(
            sku=line.sku,
            slug=product.slug,
            title=product.title,
            choices={
                option.name: choice
                for option, choice in zip(product.options, variant.choices, strict=True)
            },
            quantity=line.quantity,
            unit_price=MoneyView.of(line.unit_price),
            price_before=MoneyView.of(line.price_seen) if line.price_changed else None,
            total=MoneyView.of(line.total),
            availability=availability,
            poster=PosterView.of(poster) if poster else None,
        )


class CartView(BaseModel):
    """The cart at today's prices."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"lines": [_LINE], "gone": [], "units": 2, "subtotal": _LINE["total"]}]
        }
    )

    lines: list[CartLineView]
    gone: list[str] = Field(
        description="SKUs in the cart that are not sold any more: take them out to check out"
    )
    units: int = Field(description="Pieces in all")
    subtotal: MoneyView = Field(description="Without shipping; taxes are included")

    @classmethod
    def of(cls, priced: PricedCart, stocks: Mapping[str, Availability]) -> "CartView":
        return cls(
            lines=[CartLineView.of(line, stocks[line.variant.stock_key]) for line in priced.lines],
            gone=[line.sku for line in priced.gone],
            units=priced.cart.units,
            subtotal=MoneyView.of(priced.subtotal),
        )
