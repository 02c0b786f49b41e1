"""The checkout form: what somebody typed, what is wrong with it, and the details it gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vitrina.checkout.delivery import COUNTRIES
from vitrina.checkout.model import Address, CheckoutDetails

# In the order of the page, with the most characters a field takes.
FIELDS = {
    "email": 254,  # RFC 5321, 4.5.3.1.3: a path has 256 octets, two of them are angle brackets
    "name": 120,
    "line1": 120,
    "line2": 120,
    "postal_code": 12,
    "city": 120,
    "country": 2,
    "phone": 40,
    "card": 30,
}
_OPTIONAL = {"line2", "phone"}
_MISSING = {
    "email": "Enter the e-mail address for the confirmation.",
    "name": "Enter the name on the parcel.",
    "line1": "Enter street and number.",
    "postal_code": "Enter the postal code.",
    "city": "Enter the town or city.",
    "country": "Choose a country.",
    "card": "Enter the number of the card.",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class Form:
    """What the page shows again when something is wrong. The card number never comes back."""

    entered: Mapping[str, str]
    problems: Mapping[str, str]


def clean(sent: Mapping[str, str]) -> dict[str, str]:
    """Each field without needless space, never longer than it may be."""
    return {name: " ".join(sent.get(name, "").split())[: most + 1] for name, most in FIELDS.items()}


def check(entered: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by field, in the order of the page; empty when all is well."""
    problems = {}
    for name, most in FIELDS.items():
        problem = _problem(name, entered, most)
        if problem:
            problems[name] = problem
    return problems


def shown_again(entered: Mapping[str, str], problems: Mapping[str, str]) -> Form:
    """The form for the page, without the card."""
    return Form({name: text for name, text in entered.items() if name != "card"}, problems)


def details(entered: Mapping[str, str], quote_id: str) -> CheckoutDetails:
    """What the checkout needs, from a form that ``check`` found well."""
    return CheckoutDetails(
        email=entered["email"],
        address=Address(
            name=entered["name"],
            line1=entered["line1"],
            line2=entered["line2"],
            postal_code=entered["postal_code"].upper(),
            city=entered["city"],
            country=entered["country"],
            phone=entered["phone"],
        ),
        quote_id=quote_id,
        payment_token="".join(entered["card"].split()),
    )


def _problem(name: str, entered: Mapping[str, str], most: int) -> str:
    text = entered[name]
    if not text:
        return "" if name in _OPTIONAL else _MISSING[name]
    if len(text) > most:
        return f"This is longer than the {most} characters there is room for."
    if not text.isprintable():
        return "This holds characters that cannot be printed on a parcel."
    match name:
        case "email" if not _EMAIL.fullmatch(text):
            return "This is not an e-mail address such as name@example.com."
        case "country" if text not in COUNTRIES:
            return "We do not deliver there."
        case "postal_code" if entered["country"] in COUNTRIES:
            return _postal_problem(text.upper(), entered["country"])
        case "card" if not re.fullmatch(r"(?:\d[ -]?){12,19}", text):
            return "A card has 12 to 19 digits."
    return ""


def _postal_problem(postal_code: str, code: str) -> str:
    country = COUNTRIES[code]
    if not country.has(postal_code):
        return f"In {country.name} a postal code looks like {country.example}."
    if not country.serves(postal_code):
        return f"We do not deliver to this part of {country.name}."
    return ""
