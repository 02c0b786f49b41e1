"""What shoppers type: what is taken, how it is tidied, and what they are told."""

from typing import Any

import pytest
from pydantic import ValidationError

from vitrina.checkout.views import PlaceOrder, field_errors

GOOD: dict[str, Any] = {
    "quote_id": "q",
    "email": "ada@example.com",
    "address": {
        "name": "Ada Byron",
        "line1": "Keizersgracht 1",
        "country": "NL",
        "postal_code": "1015 CJ",
        "city": "Amsterdam",
    },
    "payment_token": "4242 4242 4242 4242",
}


def form(**changes: Any) -> dict[str, Any]:
    address = {**GOOD["address"], **changes.pop("address", {})}
    return {**GOOD, **changes, "address": address}


def refusal(**changes: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        PlaceOrder.model_validate(form(**changes))
    return field_errors(refused.value)


def test_a_good_form_becomes_the_details_of_a_checkout() -> None:
    details = PlaceOrder.model_validate(GOOD).details()

    assert details.email == "ada@example.com"
    assert details.address.city == "Amsterdam"
    assert details.payment_token == "4242 4242 4242 4242"


def test_everything_that_is_missing_is_named_at_once_in_plain_words() -> None:
    empty = {"name": "", "line1": " ", "country": "", "postal_code": "", "city": "\t"}

    assert refusal(email="", address=empty, payment_token=" ") == {
        "email": "Enter an e-mail address such as ada@example.com.",
        "address.name": "Enter the name of whoever receives the goods.",
        "address.line1": "Enter street and number.",
        "address.country": "Choose a country that we deliver to.",
        "address.postal_code": "Enter a postal code.",
        "address.city": "Enter a city.",
        "payment_token": "Enter a card number.",
    }


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "ada @example.com",
        "ada@example..com",
        ".ada@example.com",
        "ada.@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@exam\u202eple.com",
        "ada@example.com\x00",
        "a" * 65 + "@example.com",
        "a@" + "b" * 250 + ".com",
    ],
)
def test_what_is_no_address_for_mail_is_refused(email: str) -> None:
    assert list(refusal(email=email)) == ["email"]


@pytest.mark.parametrize(
    "email", ["a@b.co", "ada.byron+shop@mail.example.com", "o'hara@example.ie", "jörg@bücher.de"]
)
def test_what_is_one_is_taken(email: str) -> None:
    assert PlaceOrder.model_validate(form(email=f" {email} ")).email == email


def test_line_breaks_cannot_be_smuggled_into_an_address() -> None:
    taken = PlaceOrder.model_validate(form(address={"name": "Ada\r\nBcc: eve@example.com"}))

    assert taken.address.name == "Ada Bcc: eve@example.com"
    for name in ("Ada\x00", "Ada\x1b[2J", "Ada\u202enoryB"):
        assert refusal(address={"name": name}) == {
            "address.name": "Remove the characters that cannot be seen."
        }


def test_a_name_is_kept_composed_whatever_script_it_is_in() -> None:
    for given, kept in [("Jo\u0308rg", "Jörg"), ("  李  雷 ", "李 雷"), ("O’Brien", "O’Brien")]:
        assert PlaceOrder.model_validate(form(address={"name": given})).address.name == kept


def test_a_postal_code_has_to_fit_its_country() -> None:
    assert refusal(address={"postal_code": "10115"}) == {
        "address.postal_code": "Enter a postal code of Netherlands, such as 1012 AB."
    }
    assert refusal(address={"country": "ES", "postal_code": "35001"}) == {
        "address.postal_code": "We do not deliver to this postal code."
    }
    taken = PlaceOrder.model_validate(form(address={"country": "gb", "postal_code": "sw1a  1aa"}))
    assert (taken.address.country, taken.address.postal_code) == ("GB", "SW1A 1AA")


def test_a_country_not_served_is_the_only_complaint_about_its_postal_code() -> None:
    assert refusal(address={"country": "US", "postal_code": "90210"}) == {
        "address.country": "Choose a country that we deliver to."
    }


@pytest.mark.parametrize("phone", ["", "+31 20 123 4567", "(020) 123-4567"])
def test_a_phone_number_may_be_left_out(phone: str) -> None:
    assert PlaceOrder.model_validate(form(address={"phone": phone})).address.phone == phone


def test_a_phone_number_is_one() -> None:
    assert list(refusal(address={"phone": "call me"})) == ["address.phone"]


def test_too_much_is_refused_by_length() -> None:
    assert list(refusal(address={"line1": "x" * 101})) == ["address.line1"]
    assert list(refusal(payment_token="4" * 256)) == ["payment_token"]


def test_a_card_number_is_never_shown() -> None:
    secret = "4000 0000 0000 0002"
    order = PlaceOrder.model_validate(form(payment_token=secret))

    assert secret not in repr(order) + repr(order.details()) + order.model_dump_json()
    with pytest.raises(ValidationError) as refused:
        PlaceOrder.model_validate(form(payment_token=secret, email="", unknown=secret))
    assert secret not in str(refused.value)


def test_the_fingerprint_tells_orders_apart_but_not_cards() -> None:
    def fingerprint(**changes: Any) -> str:
        return PlaceOrder.model_validate(form(**changes)).details().fingerprint

    same = fingerprint()
    assert fingerprint(payment_token="4000 0000 0000 0002") == same
    assert fingerprint(email="eve@example.com") != same
    assert fingerprint(quote_id="r") != same
    assert fingerprint(address={"line2": "c/o Eve"}) != same
    # A boundary between fields is part of the content.
    assert fingerprint(address={"line1": "a", "line2": "b c"}) != fingerprint(
        address={"line1": "a b", "line2": "c"}
    )
