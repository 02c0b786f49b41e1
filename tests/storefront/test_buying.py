"""Cart, checkout and orders through pages and forms alone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.shopping import all_orders, reprice, stock_of, work_off
from tests.storefront.markup import Document, parse
from tests.storefront.visitor import Visitor
from vitrina.catalogue.service import archive, set_stock
from vitrina.checkout.model import CancelReason, OrderState
from vitrina.checkout.payments.test_provider import (
    ANSWER_LOST,
    DECLINED,
    NEEDS_CONFIRMATION,
    SUCCEEDS,
)
from vitrina.entrypoints.wiring import Services

ADA = {
    "email": "ada@example.com",
    "name": "Ada Byron",
    "line1": "Keizersgracht 1",
    "line2": "",
    "postal_code": "1015 CJ",
    "city": "Amsterdam",
    "country": "NL",
    "phone": "",
}
OAK = "TOMO-CHAIR-OAK"


def add(visitor: Visitor, sku: str = OAK, quantity: int = 1) -> Document:
    return visitor.submit("/cart/items", sku=sku, quantity=quantity)


def filled(visitor: Visitor, card: str = SUCCEEDS, **changes: str) -> dict[str, Any]:
    """The checkout form as it would be sent: what the page holds, and what somebody types."""
    page = visitor.show("/checkout")
    hidden = {field["name"]: field["value"] for field in page.all("input", type="hidden")}
    return {**hidden, **ADA, "card": card, **changes}


def buy(visitor: Visitor, card: str = SUCCEEDS) -> Document:
    add(visitor)
    return visitor.submit("/checkout", **filled(visitor, card))


def lines(page: Document) -> list[tuple[str, str]]:
    return [
        (line.one("h2").text, line.one("p", class_="line-total").text)
        for line in page.all("li", class_="line")
    ]


def sum_of(page: Document) -> str:
    return page.one("dd", class_="sum").text


def steps(page: Document) -> list[tuple[str, str]]:
    return [
        (step.one("h3").text, step["class"]) for step in page.one("ol", class_="timeline").all("li")
    ]


def test_what_is_added_is_in_the_cart_at_the_catalogues_price(shopper: Visitor) -> None:
    page = add(shopper, quantity=2)

    assert page.problems() == []
    assert lines(page) == [("Tomo chair", "€990")]
    assert sum_of(page) == "€990"
    assert shopper.cookies["cart_count"] == "2"


def test_a_product_is_added_by_what_was_chosen_of_it(shopper: Visitor) -> None:
    page = shopper.submit("/cart/items", product="tomo-chair", choice_1="Walnut", quantity=1)

    assert lines(page) == [("Tomo chair", "€595")]


def test_what_is_not_made_is_not_added(shopper: Visitor) -> None:
    page = shopper.submit("/cart/items", product="tomo-chair", choice_1="Gold", quantity=1)

    assert page.heading == "Tomo chair"
    assert shopper.show("/cart").heading == "Your cart is empty."


def test_the_price_the_browser_sends_means_nothing(shopper: Visitor) -> None:
    page = shopper.submit("/cart/items", sku=OAK, quantity=1, price="1", unit_price="€1")

    assert sum_of(page) == "€495"


def test_quantities_are_changed_and_lines_taken_out(shopper: Visitor) -> None:
    add(shopper)
    add(shopper, "MAANE-LAMP")

    changed = shopper.submit(f"/cart/items/{OAK}", quantity=3)
    left = shopper.submit(f"/cart/items/{OAK}", quantity=0)
    empty = shopper.submit("/cart/items/MAANE-LAMP", quantity=0)

    assert sorted(lines(changed)) == [("Måne lamp", "€320"), ("Tomo chair", "€1,485")]
    assert lines(left) == [("Måne lamp", "€320")]
    assert empty.heading == "Your cart is empty."
    assert empty.problems() == []
    assert shopper.cookies["cart_count"] == "0"


@pytest.mark.parametrize("quantity", ["0", "-1", "100", "one", "1.5"])
def test_nonsense_quantities_are_refused_and_nothing_is_added(
    shopper: Visitor, quantity: str
) -> None:
    answer = shopper.post("/cart/items", sku=OAK, quantity=quantity)

    assert answer.status == 422
    assert parse(answer.text).problems() == []
    assert shopper.show("/cart").heading == "Your cart is empty."


def test_an_unknown_sku_is_not_found(shopper: Visitor) -> None:
    assert shopper.post("/cart/items", sku="NO-SUCH", quantity=1).status == 404


def test_a_tampered_cart_cookie_is_an_empty_cart(shopper: Visitor) -> None:
    shopper.cookies["cart"] = "../../etc/passwd"

    assert shopper.show("/cart").heading == "Your cart is empty."


def test_what_is_sold_out_cannot_be_added_and_its_page_says_so(
    own_shop: Services, shopper: Visitor
) -> None:
    set_stock(own_shop.catalogue, {OAK: 0})

    page = add(shopper)

    assert page.heading == "Tomo chair"
    assert page.one(class_="stock").text == "Sold out in this version"
    assert "disabled" in page.one("button", data_buy="").attributes
    assert shopper.show("/cart").heading == "Your cart is empty."


def test_a_script_gets_the_drawer_instead_of_the_page(shopper: Visitor) -> None:
    answer = shopper.post("/cart/items?view=drawer", sku=OAK, quantity=2)
    piece = parse(answer.text)

    assert answer.status == 200
    assert piece.faults == []
    assert piece.one("div", data_said="")["data-said"] == "Tomo chair, Oak is in the cart."
    assert sum_of(piece) == "€990"
    assert shopper.cookies["cart_count"] == "2"


def test_a_changed_price_is_pointed_out(own_shop: Services, shopper: Visitor) -> None:
    add(shopper, "MAANE-LAMP")
    reprice(own_shop, "maane-lamp", "350")

    page = shopper.show("/cart")

    assert lines(page) == [("Måne lamp", "€350")]
    assert "It was €320 when you put it in." in page.text


def test_what_is_not_sold_any_more_has_to_leave_before_the_checkout(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper, "MAANE-LAMP")
    archive(own_shop.catalogue, "maane-lamp", now=own_shop.now())

    page = shopper.show("/checkout")

    assert page.heading == "Cart"
    assert "MAANE-LAMP is not sold any more." in page.text
    assert page.problems() == []


def test_an_empty_cart_cannot_be_checked_out(shopper: Visitor) -> None:
    assert shopper.show("/checkout").heading == "Your cart is empty."


def test_a_purchase(own_shop: Services, shopper: Visitor) -> None:
    page = buy(shopper)

    assert page.problems() == []
    assert page.heading == "Thank you. It is yours."
    assert steps(page) == [("Ordered", "done"), ("Paid", "done"), ("Packed and sent", "now")]
    assert sum_of(page) == "€495"
    assert "of which VAT 21 %" in page.text
    assert "Keizersgracht 1" in page.text
    assert [order.state for order in all_orders(own_shop)] == [OrderState.PAID]
    assert stock_of(own_shop, OAK) == 8
    assert shopper.show("/cart").heading == "Your cart is empty."


def test_problems_stand_beside_their_fields_and_in_a_summary_that_takes_the_focus(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper)

    wrong = filled(shopper, email="ada@", postal_code="10115", city="", card="")
    answer = shopper.post("/checkout", **wrong)
    page = parse(answer.text)

    assert answer.status == 422
    assert page.problems() == []
    summary = page.one("div", role="alert")
    assert "autofocus" in summary.attributes
    assert [link["href"] for link in summary.all("a")] == [
        "#email", "#postal_code", "#city", "#card"
    ]  # fmt: skip
    for name in ("email", "postal_code", "city", "card"):
        field = page.one("input", id=name)
        assert field["aria-invalid"] == "true"
        assert page.one(id=field["aria-describedby"]).text
    assert "Netherlands" in page.one(id="postal_code-problem").text
    assert page.one("input", id="email")["value"] == "ada@"
    assert all_orders(own_shop) == []


@pytest.mark.parametrize("card", ["4242 4242 4242 424", DECLINED])
def test_a_card_number_never_comes_back(card: str, shopper: Visitor) -> None:
    add(shopper)

    answer = shopper.post("/checkout", **filled(shopper, card, city=""))

    assert card not in answer.text.replace(f'<dt class="figure">{card}', "")
    assert parse(answer.text).one("input", id="card")["value"] == ""


def test_another_country_changes_delivery_and_taxes_and_keeps_what_was_typed(
    shopper: Visitor,
) -> None:
    add(shopper, "MAANE-LAMP")

    form = filled(shopper, country="CH", postal_code="8001", step="quote")
    page = parse(shopper.post("/checkout", **form).text)

    totals = page.one("dl", class_="totals").text
    assert "Delivery to Switzerland" in totals
    assert sum_of(page) == "€359"
    assert "Export, free of VAT" in totals
    assert page.one("input", id="name")["value"] == "Ada Byron"
    assert page.one("option", selected="").text == "Switzerland"
    assert not page.all(role="alert")


def test_the_browsers_language_chooses_the_country(shopper: Visitor) -> None:
    add(shopper)
    cookies = "; ".join(f"{name}={value}" for name, value in shopper.cookies.items())

    def country(languages: str) -> str:
        answer = shopper.client.get("/checkout", cookie=cookies, accept_language=languages)
        return parse(answer.text).one("option", selected="").text

    assert country("de-AT,de;q=0.9") == "Austria"
    assert country("en-US,en;q=0.9") == "Germany"
    assert country("") == "Germany"


def test_a_declined_card_is_a_problem_of_the_card_and_another_one_works(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper)
    answer = shopper.post("/checkout", **filled(shopper, DECLINED))
    page = parse(answer.text)

    assert answer.status == 402
    assert page.problems() == []
    assert "declined" in page.one(id="card-problem").text
    hidden = {field["name"]: field["value"] for field in page.all("input", type="hidden")}
    again = shopper.submit("/checkout", **{**hidden, **ADA, "card": SUCCEEDS})
    assert again.heading == "Thank you. It is yours."
    assert stock_of(own_shop, OAK) == 8


def test_a_total_that_changed_is_shown_before_anything_is_bought(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper, "MAANE-LAMP")
    form = filled(shopper)
    reprice(own_shop, "maane-lamp", "350")

    answer = shopper.post("/checkout", **form)
    page = parse(answer.text)

    assert answer.status == 409
    assert "The total has changed" in page.one(role="alert").text
    assert sum_of(page) == "€350"
    assert all_orders(own_shop) == []


def test_what_was_sold_out_meanwhile_is_said_on_the_page(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper)
    form = filled(shopper)
    set_stock(own_shop.catalogue, {OAK: 0})

    answer = shopper.post("/checkout", **form)

    assert answer.status == 409
    assert "Not enough pieces are left" in parse(answer.text).one(role="alert").text
    assert all_orders(own_shop) == []


def test_clicking_twice_buys_once_and_both_answers_lead_to_the_order(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper)
    form = filled(shopper)

    with ThreadPoolExecutor(2) as clicks:
        answers = list(clicks.map(lambda _: shopper.post("/checkout", **form), range(2)))

    assert len(all_orders(own_shop)) == 1
    assert {answer.headers["Location"] for answer in answers} == {
        f"/orders/{all_orders(own_shop)[0].number}"
    }


def test_a_form_sent_again_with_other_content_is_a_new_purchase(
    own_shop: Services, shopper: Visitor
) -> None:
    add(shopper)
    form = filled(shopper)
    shopper.submit("/checkout", **form)
    add(shopper)

    page = shopper.submit("/checkout", **{**form, "city": "Utrecht"})

    assert page.heading == "Thank you. It is yours."
    assert len(all_orders(own_shop)) == 2


@pytest.mark.parametrize(
    ("answer", "heading", "state"),
    [
        ("approve", "Thank you. It is yours.", OrderState.PAID),
        ("refuse", "This order was cancelled.", OrderState.CANCELLED),
    ],
)
def test_the_bank_asks_and_the_answer_decides(
    answer: str, heading: str, state: OrderState, own_shop: Services, shopper: Visitor
) -> None:
    bank = buy(shopper, NEEDS_CONFIRMATION)
    (order,) = all_orders(own_shop)
    waiting = shopper.show(f"/orders/{order.number}")

    page = shopper.submit(order.payment.confirm_url, answer=answer)

    assert bank.heading == "Pay €495?"
    assert bank.problems() == waiting.problems() == page.problems() == []
    assert waiting.heading == "One step is left."
    assert waiting.one("a", class_="button")["href"] == order.payment.confirm_url
    assert page.heading == heading
    assert all_orders(own_shop)[0].state is state


def test_a_lost_answer_is_waited_for(own_shop: Services, shopper: Visitor) -> None:
    page = buy(shopper, ANSWER_LOST)

    assert page.heading == "Waiting for the bank."
    assert page.problems() == []
    assert page.all(data_poll="")
    work_off(own_shop)
    assert [order.state for order in all_orders(own_shop)] == [OrderState.AWAITING_PAYMENT]


def test_an_unpaid_order_is_called_off(own_shop: Services, shopper: Visitor) -> None:
    buy(shopper, NEEDS_CONFIRMATION)
    (order,) = all_orders(own_shop)

    page = shopper.submit(f"/orders/{order.number}/cancel")

    assert steps(page) == [("Ordered", "done"), ("Cancelled", "refused")]
    assert all_orders(own_shop)[0].cancel_reason is CancelReason.BY_SHOPPER
    assert stock_of(own_shop, OAK) == 9


def test_a_paid_order_is_not_called_off(own_shop: Services, shopper: Visitor) -> None:
    buy(shopper)
    (order,) = all_orders(own_shop)

    page = shopper.submit(f"/orders/{order.number}/cancel")

    assert page.heading == "Thank you. It is yours."
    assert all_orders(own_shop)[0].state is OrderState.PAID


def test_nobody_else_opens_an_order_by_its_number(own_shop: Services, shopper: Visitor) -> None:
    buy(shopper)
    (order,) = all_orders(own_shop)
    stranger = Visitor(shopper.client)

    page = stranger.show(f"/orders/{order.number}")
    stranger.submit(f"/orders/{order.number}/cancel")

    assert page.heading == "Find an order"
    assert "Keizersgracht" not in page.text
    assert page.one("input", id="number")["value"] == order.number
    assert all_orders(own_shop)[0].state is OrderState.PAID


def test_a_browser_that_knows_one_order_is_asked_about_another(shopper: Visitor) -> None:
    buy(shopper)

    assert shopper.show("/orders/0000-0000-00").heading == "Find an order"


def test_an_order_is_found_again_by_number_and_address(
    own_shop: Services, shopper: Visitor
) -> None:
    buy(shopper)
    (order,) = all_orders(own_shop)
    elsewhere = Visitor(shopper.client)

    found = elsewhere.submit(
        "/orders", number=order.number.lower().replace("-", " "), email="ADA@example.com "
    )

    assert found.heading == "Thank you. It is yours."
    assert elsewhere.show(f"/orders/{order.number}").heading == "Thank you. It is yours."


def test_a_wrong_address_finds_nothing_and_does_not_say_what_was_wrong(
    own_shop: Services, shopper: Visitor
) -> None:
    buy(shopper)
    (order,) = all_orders(own_shop)
    stranger = Visitor(shopper.client)

    wrong_address = stranger.post("/orders", number=order.number, email="eve@example.com")
    wrong_number = stranger.post("/orders", number="0000-0000-00", email="ada@example.com")

    assert wrong_address.status == wrong_number.status == 404
    said = {parse(answer.text).one(role="alert").text for answer in (wrong_address, wrong_number)}
    assert len(said) == 1


def test_an_empty_search_for_an_order_says_what_is_missing(shopper: Visitor) -> None:
    answer = shopper.post("/orders", number=" ", email="")

    page = parse(answer.text)
    assert answer.status == 422
    assert page.problems() == []
    assert page.one(id="number-problem").text
    assert page.one(id="email-problem").text


def test_a_bank_reference_that_does_not_exist_is_not_found(shopper: Visitor) -> None:
    assert shopper.get("/checkout/confirm/nothing").status == 404
    assert shopper.post("/checkout/confirm/nothing", answer="approve").status == 404


def test_another_site_cannot_fill_the_cart(shopper: Visitor) -> None:
    answer = shopper.client.ask(
        "POST",
        "/cart/items",
        f"sku={OAK}&quantity=1",
        content_type="application/x-www-form-urlencoded",
        origin="https://evil.example",
        sec_fetch_site="cross-site",
    )

    assert answer.status == 403
