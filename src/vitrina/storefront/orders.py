"""Orders: the page of one, and the form that finds it again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi import Form as FormField
from fastapi.responses import Response

from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.errors import UnknownSku
from vitrina.checkout import service as checkout_service
from vitrina.checkout.delivery import COUNTRIES
from vitrina.checkout.errors import AlreadyPaid, UnknownOrder
from vitrina.checkout.model import (
    CancelReason,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
    tidy_number,
)
from vitrina.kernel.ids import is_id
from vitrina.storefront.checkout_form import Form
from vitrina.storefront.shop import Shop, ShopDep, all_rooms, private_page, see_other
from vitrina.storefront.views import TINTS, Picture, Room, tint_of

router = APIRouter()

_LIFETIME_S = 60 * 24 * 3600

_CANCELLED_WORDS = {
    CancelReason.PAYMENT_DECLINED: "The bank declined the payment. Nothing was charged.",
    CancelReason.PAYMENT_LOST: "The payment never reached the bank. Nothing was charged.",
    CancelReason.PAYMENT_LATE: "The payment was not confirmed in time. Nothing remains charged.",
    CancelReason.BY_SHOPPER: "You called it off. Nothing remains charged.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A point on the timeline of an order."""

    title: str
    words: str
    state: str  # "done", "now", "refused" or "" for what is still to come
    at: datetime | None = None


@router.get("/orders")
def show_search(shop: ShopDep) -> Response:
    """The form that finds an order."""
    return private_page(shop, "find_order.html", form=Form({}, {}), unknown="")


@router.post("/orders")
def find_order(
    shop: ShopDep,
    number: Annotated[str, FormField(max_length=100)] = "",
    email: Annotated[str, FormField(max_length=300)] = "",
) -> Response:
    """Find an order by its number and the e-mail address it was placed with."""
    entered = {"number": number.strip(), "email": email.strip()}
    problems = {}
    if not entered["number"]:
        problems["number"] = "Enter the number of the order, such as 7K3M-9QXD-2V."
    if not entered["email"]:
        problems["email"] = "Enter the e-mail address it was placed with."
    form = Form(entered, problems)
    if problems:
        return private_page(shop, "find_order.html", status=422, form=form, unknown="")
    try:
        order = checkout_service.get_order(shop, entered["number"], entered["email"])
    except UnknownOrder as error:
        return private_page(shop, "find_order.html", status=404, form=form, unknown=str(error))
    answer = see_other(f"/orders/{order.number}")
    remember_order(answer, order, secure=shop.settings.secure_cookies)
    return answer


@router.get("/orders/{number}")
def show_order(request: Request, shop: ShopDep, number: str) -> Response:
    """One order, for the browser that placed or found it; anybody else is asked first."""
    order = _known_order(request, shop, number)
    if order is None:
        form = Form({"number": number[:40]}, {})
        return private_page(shop, "find_order.html", form=form, unknown="")
    waits = order.state is OrderState.AWAITING_PAYMENT
    rooms = all_rooms(shop)
    return private_page(
        shop,
        "order.html",
        order=order,
        lines=[(line, *_look(shop, line, rooms)) for line in order.lines],
        steps=_steps(order),
        country=COUNTRIES[order.address.country].name
        if order.address.country in COUNTRIES
        else order.address.country,
        confirm_url=order.payment.confirm_url if waits else "",
        is_open=waits,
        asks_bank=waits and order.payment.state is not PaymentState.NEEDS_CONFIRMATION,
    )


@router.post("/orders/{number}/cancel")
def cancel_order(request: Request, shop: ShopDep, number: str) -> Response:
    """Call off an order that is not paid yet."""
    order = _known_order(request, shop, number)
    if order is None:
        return see_other(f"/orders/{quote(number)}")
    with suppress(AlreadyPaid):  # the page says so better than an error would
        checkout_service.cancel_order(shop, order.number, order.email)
    return see_other(f"/orders/{order.number}")


def remember_order(answer: Response, order: Order, *, secure: bool) -> None:
    """Let this browser open the order's page. The id is as good as a password: 128 random bits."""
    answer.set_cookie(
        _cookie(secure=secure),
        order.id,
        max_age=_LIFETIME_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def _known_order(request: Request, shop: Shop, number: str) -> Order | None:
    order_id = request.cookies.get(_cookie(secure=shop.settings.secure_cookies), "")
    if not is_id(order_id):
        return None
    try:
        order = checkout_service.get_order_by_id(shop, order_id)
    except UnknownOrder:
        return None
    return order if order.number == tidy_number(number) else None


def _cookie(*, secure: bool) -> str:
    return "__Host-order" if secure else "order"


def _look(shop: Shop, line: OrderLine, rooms: Sequence[Room]) -> tuple[Picture | None, int]:
    """Picture and hue of what was ordered, as far as the shop still sells it."""
    try:
        product, variant = catalogue_service.find_variant(shop.catalogue, line.sku)
    except UnknownSku:
        return None, TINTS
    return Picture.of(product.poster(variant.material_variant)), tint_of(product.category, rooms)


def _steps(order: Order) -> list[Step]:
    ordered = Step("Ordered", "", "done", order.placed_at)
    match order.state:
        case OrderState.PAID:
            paid = Step("Paid", str(order.total), "done", order.finished_at)
            return [ordered, paid, Step("Packed and sent", "This comes next.", "now")]
        case OrderState.CANCELLED:
            reason = order.cancel_reason or CancelReason.BY_SHOPPER
            words = _CANCELLED_WORDS[reason]
            return [ordered, Step("Cancelled", words, "refused", order.finished_at)]
    if order.payment.state is PaymentState.NEEDS_CONFIRMATION:
        words = "Your bank wants a word: confirm the payment there."
    else:
        words = "The bank has not answered yet. We keep asking; there is nothing you must do."
    return [ordered, Step("Payment", words, "now"), Step("Packed and sent", "", "")]
