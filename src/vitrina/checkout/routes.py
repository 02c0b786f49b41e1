"""The checkout over HTTP: quote, order, look up, call off."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from vitrina.cart.shopper import Shopper
from vitrina.checkout import service
from vitrina.checkout.delivery import COUNTRIES
from vitrina.checkout.errors import (
    AlreadyOrdered,
    AlreadyPaid,
    CartIsEmpty,
    CheckoutInProgress,
    KeyMissing,
    KeyReused,
    NotSoldAnyMore,
    OrderCancelled,
    PaymentDeclined,
    QuoteChanged,
    SoldOut,
    UnknownOrder,
)
from vitrina.checkout.model import OrderState
from vitrina.checkout.service import Shop
from vitrina.checkout.views import (
    AskQuote,
    CancelOrder,
    CountriesView,
    CountryView,
    OrderView,
    PlaceOrder,
    QuoteView,
)
from vitrina.platform.web import problems, services

router = APIRouter(tags=["checkout"])

ShopDep = Annotated[Shop, Depends(services)]
Number = Annotated[
    str, Path(max_length=32, description="The order's number", examples=["7K3M-9QXD-2V"])
]

_PRIVATE = "private, no-store"
# draft-ietf-httpapi-idempotency-key-header: a quoted string; people send it bare as well.
_KEY = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
_KEY_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "A new random value for each purchase, the same one for each repeat",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "example": "5b7d2c0e-7f0a-4a57-9f61-2f1f6f0c7a11",
        }
    ]
}


async def idempotency_key(request: Request) -> str:
    """The request's Idempotency-Key.

    Raises:
        KeyMissing: there is none, several, or one that is no key.
    """
    sent = request.headers.getlist("Idempotency-Key")
    key = _KEY.fullmatch(sent[0].strip()) if len(sent) == 1 else None
    if key is None:
        raise KeyMissing
    return key[1] or key[2]


@router.get("/checkout/countries")
def list_countries(shop: ShopDep, response: Response) -> CountriesView:
    """Where the shop delivers to, and what that costs."""
    response.headers["Cache-Control"] = "public, max-age=300"
    countries = sorted(COUNTRIES.values(), key=lambda country: country.name)
    currency = shop.settings.currency
    return CountriesView(items=[CountryView.of(country, currency) for country in countries])


@router.post("/checkout/quote", responses=problems(CartIsEmpty, NotSoldAnyMore))
def quote_cart(body: AskQuote, shopper: Shopper, shop: ShopDep, response: Response) -> QuoteView:
    """What the cart costs today, delivered to a country. Nothing is written."""
    response.headers["Cache-Control"] = _PRIVATE
    return QuoteView.of(service.quote_cart(shop, shopper.cart_id, body.country))


@router.post(
    "/checkout/orders",
    status_code=201,
    openapi_extra=_KEY_PARAMETER,
    responses=problems(
        KeyMissing,
        PaymentDeclined,
        CheckoutInProgress,
        QuoteChanged,
        SoldOut,
        NotSoldAnyMore,
        AlreadyOrdered,
        OrderCancelled,
        CartIsEmpty,
        KeyReused,
    ),
)
def place_order(
    body: PlaceOrder,
    key: Annotated[str, Depends(idempotency_key)],
    shopper: Shopper,
    shop: ShopDep,
    response: Response,
) -> OrderView:
    """Buy the cart.

    The answer's `state` is `paid`, or `awaiting_payment`: then either the shopper must visit
    `payment.confirm_url`, or the provider's answer was lost and the order settles by itself
    within a minute. A repeat with the same key never buys again.
    """
    order = service.checkout(shop, shopper.cart_id, body.details(), key=key)
    response.headers["Cache-Control"] = _PRIVATE
    if order.state is OrderState.PAID:
        shopper.clear_badge(response)
    return OrderView.of(order)


@router.get("/orders/{number}", responses=problems(UnknownOrder))
def get_order(
    number: Number,
    email: Annotated[
        str,
        Query(
            max_length=254,
            description="The address it was placed with",
            examples=["ada@example.com"],
        ),
    ],
    shop: ShopDep,
    response: Response,
) -> OrderView:
    """Look up an order. Its number alone opens nothing."""
    response.headers["Cache-Control"] = _PRIVATE
    return OrderView.of(service.get_order(shop, number, email))


@router.post("/orders/{number}/cancel", responses=problems(UnknownOrder, AlreadyPaid))
def cancel_order(number: Number, body: CancelOrder, shop: ShopDep, response: Response) -> OrderView:
    """Call off an order that is not paid yet. Its pieces are free at once."""
    response.headers["Cache-Control"] = _PRIVATE
    return OrderView.of(service.cancel_order(shop, number, body.email))
