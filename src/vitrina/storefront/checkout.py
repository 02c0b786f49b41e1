"""The checkout page, the test bank's page, and what becomes of both."""

import re
import time
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Form as FormField
from fastapi.responses import Response

from vitrina.cart import service as cart_service
from vitrina.cart.shopper import Shopper, Visitor
from vitrina.checkout import service as checkout_service
from vitrina.checkout.delivery import COUNTRIES
from vitrina.checkout.errors import (
    AlreadyOrdered,
    CartIsEmpty,
    CheckoutInProgress,
    KeyReused,
    NotSoldAnyMore,
    OrderCancelled,
    PaymentDeclined,
    QuoteChanged,
    SoldOut,
)
from vitrina.checkout.model import CheckoutDetails, Order, OrderState, PaymentState
from vitrina.checkout.payments.test_provider import CARDS
from vitrina.kernel.errors import ShopError
from vitrina.kernel.ids import is_id, new_id
from vitrina.storefront import checkout_form
from vitrina.storefront.cart import cart_lines
from vitrina.storefront.checkout_form import Form
from vitrina.storefront.orders import remember_order
from vitrina.storefront.shop import Shop, ShopDep, all_rooms, private_page, see_other

router = APIRouter()

HOME_COUNTRY = "DE"  # totals are shown for it until a country is chosen
# Somebody who clicks twice sees the answer to the second click: it waits for the first.
_REPEATS = 12
_REPEAT_AFTER_S = 0.5

Text = Annotated[str, FormField(max_length=300)]


@router.get("/checkout")
def show_checkout(request: Request, shop: ShopDep, shopper: Shopper) -> Response:
    """Address, delivery, taxes and card on one page."""
    country = _country_of(request.headers.get("accept-language", ""))
    return _page(shop, shopper, Form({"country": country}, {}))


@router.post("/checkout")
def check_out(
    shop: ShopDep,
    shopper: Shopper,
    quote_id: Text = "",
    key: Text = "",
    step: Text = "",
    email: Text = "",
    name: Text = "",
    line1: Text = "",
    line2: Text = "",
    postal_code: Text = "",
    city: Text = "",
    country: Text = "",
    phone: Text = "",
    card: Text = "",
) -> Response:
    """Buy the cart, or show the page again with what is wrong beside its field."""
    entered = {
        "email": email,
        "name": name,
        "line1": line1,
        "line2": line2,
        "postal_code": postal_code,
        "city": city,
        "country": country,
        "phone": phone,
        "card": card,
    }
    if step == "quote":
        return _page(shop, shopper, Form.again(entered))
    details = checkout_form.read(entered, quote_id)
    if isinstance(details, dict):
        return _page(shop, shopper, Form.again(entered, details), status=422)
    try:
        order = _buy(shop, shopper, details, key)
    except PaymentDeclined as error:
        return _page(shop, shopper, Form.again(entered, {"card": str(error)}), status=error.status)
    except (QuoteChanged, SoldOut, AlreadyOrdered, OrderCancelled) as error:
        return _page(shop, shopper, Form.again(entered), refusal=error, status=error.status)
    except (CartIsEmpty, NotSoldAnyMore):
        return see_other("/cart")
    return _after(shop, shopper, order)


@router.get("/checkout/confirm/{reference}")
def show_bank(shop: ShopDep, reference: str) -> Response:
    """The page of the test bank, where a shopper approves or refuses a payment."""
    challenge, order = checkout_service.find_challenge(shop, reference)
    return private_page(shop, "bank.html", challenge=challenge, order=order)


@router.post("/checkout/confirm/{reference}")
def answer_bank(
    shop: ShopDep,
    shopper: Shopper,
    reference: str,
    answer: Annotated[str, FormField(max_length=10)],
) -> Response:
    """Approve or refuse, and back to the shop."""
    order = checkout_service.confirm_payment(shop, reference, approve=answer == "approve")
    return _after(shop, shopper, order)


def _buy(shop: Shop, shopper: Visitor, details: CheckoutDetails, key: str) -> Order:
    key = key if is_id(key) else new_id()
    for _ in range(_REPEATS):
        try:
            return checkout_service.checkout(shop, shopper.cart_id, details, key=key)
        except CheckoutInProgress:
            time.sleep(_REPEAT_AFTER_S)
        except KeyReused:
            key = new_id()  # the page was sent before, with other content: this is a new purchase
    return checkout_service.checkout(shop, shopper.cart_id, details, key=key)


def _after(shop: Shop, shopper: Visitor, order: Order) -> Response:
    """Where the shopper goes with an order: to the bank, or to the order's page."""
    needs_bank = order.payment.state is PaymentState.NEEDS_CONFIRMATION
    answer = see_other(order.payment.confirm_url if needs_bank else f"/orders/{order.number}")
    remember_order(answer, order, secure=shop.settings.secure_cookies)
    if order.state is OrderState.PAID:
        # Without a look at the cart: an order that stands is shown even while that store is down.
        shopper.clear_badge(answer)
    return answer


def _page(
    shop: Shop,
    shopper: Visitor,
    form: Form,
    *,
    refusal: ShopError | None = None,
    status: int = 200,
) -> Response:
    country = form.entered.get("country", "")
    served = country if country in COUNTRIES else HOME_COUNTRY
    cart = cart_service.read_cart(shop.carts, shopper.cart_id, now=shop.now())
    priced = cart_service.price_cart(shop.catalogue, cart, shop.settings.currency)
    if priced.gone or not priced.lines:
        return see_other("/cart")
    return private_page(
        shop,
        "checkout.html",
        status=status,
        form=form,
        refusal={"title": refusal.title, "detail": str(refusal)} if refusal else None,
        countries=sorted(COUNTRIES.values(), key=lambda each: each.name),
        served=COUNTRIES[served],
        quote=checkout_service.quote_cart(shop, shopper.cart_id, served),
        lines=cart_lines(shop, priced, all_rooms(shop)),
        key=new_id(),
        test_cards=[(_grouped(number), what) for number, what in CARDS.items()],
    )


def _country_of(accept_language: str) -> str:
    """The first country we serve that the browser's languages name, such as AT in ``de-AT``."""
    for region in re.findall(r"\b[A-Za-z]{2,3}-([A-Za-z]{2})\b", accept_language[:200]):
        if region.upper() in COUNTRIES:
            return str(region.upper())
    return HOME_COUNTRY


def _grouped(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
