"""The checkout as JSON and as form fields: what it takes, in words people understand, and shows."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from vitrina.catalogue.views import MoneyView
from vitrina.checkout.delivery import COUNTRIES, Country, tariff
from vitrina.checkout.model import (
    Address,
    CancelReason,
    CheckoutDetails,
    Order,
    OrderLine,
    OrderState,
    Payment,
    PaymentState,
    Quote,
)
from vitrina.checkout.tax import TaxLine

_MONEY: dict[str, Any] = {"amount": 25900, "currency": "EUR", "formatted": "€259"}
_ADDRESS: dict[str, Any] = {
    "name": "Ada Byron",
    "line1": "Keizersgracht 1",
    "line2": "",
    "country": "NL",
    "postal_code": "1015 CJ",
    "city": "Amsterdam",
    "phone": "",
}
_LINE: dict[str, Any] = {
    "sku": "OAK-CHAIR-OAK",
    "title": "Oak chair",
    "choices": ["Oak"],
    "quantity": 2,
    "unit_price": {"amount": 12950, "currency": "EUR", "formatted": "€129.50"},
    "total": _MONEY,
}
_AMOUNTS: dict[str, Any] = {
    "lines": [_LINE],
    "subtotal": _MONEY,
    "shipping": {"amount": 0, "currency": "EUR", "formatted": "€0"},
    "taxes": [
        {
            "label": "VAT 21 %",
            "rate_percent": 21.0,
            "net": {"amount": 21405, "currency": "EUR", "formatted": "€214.05"},
            "tax": {"amount": 4495, "currency": "EUR", "formatted": "€44.95"},
        }
    ],
    "total": _MONEY,
}
_QUOTE: dict[str, Any] = {"id": "l8O2f5v0mN1dYxq7Kc3tZA", "country": "NL", **_AMOUNTS}
_ORDER: dict[str, Any] = {
    "number": "7K3M-9QXD-2V",
    "state": "paid",
    "cancel_reason": None,
    "email": "ada@example.com",
    "address": _ADDRESS,
    **_AMOUNTS,
    "payment": {"state": "succeeded", "confirm_url": None},
    "placed_at": "2026-05-04T12:00:00Z",
    "pay_by": "2026-05-04T12:15:00Z",
}

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_PHONE = re.compile(r"\+?[0-9 ()/.-]{5,24}", re.ASCII)
# Characters that turn the order of others around: they make one name look like another.
_BIDIRECTIONAL = re.compile("[\u202a-\u202e\u2066-\u2069]")


def _needed(what_to_do: str) -> AfterValidator:
    """A line of text that must not be empty, with what to say to somebody who left it so."""

    def check(value: str) -> str:
        text = tidy(value)
        if not text:
            raise PydanticCustomError("missing", what_to_do)
        return text

    return AfterValidator(check)


def tidy(value: str) -> str:
    """Text as we keep it: composed, single spaces, nothing invisible.

    Raises:
        PydanticCustomError: it holds control characters.
    """
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text) or _BIDIRECTIONAL.search(
        text
    ):
        raise PydanticCustomError("unreadable", "Remove the characters that cannot be seen.")
    return text


def _country(value: str) -> str:
    code = value.strip().upper()
    if code not in COUNTRIES:
        raise PydanticCustomError("country", "Choose a country that we deliver to.")
    return code


def _email(value: str) -> str:
    email = tidy(value)
    local, _, domain = email.rpartition("@")
    dotted = local.startswith(".") or local.endswith(".") or ".." in local + domain
    if not _EMAIL.fullmatch(email) or dotted or len(email) > 254:
        raise PydanticCustomError("email", "Enter an e-mail address such as ada@example.com.")
    return email


def _phone(value: str) -> str:
    phone = tidy(value)
    if phone and not _PHONE.fullmatch(phone):
        raise PydanticCustomError("phone", "Enter a phone number such as +31 20 123 4567, or none.")
    return phone


def _token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    if not token:
        raise PydanticCustomError("missing", "Enter a card number.")
    if len(token) > 255 or not token.isascii() or not token.isprintable():
        raise PydanticCustomError("card", "This is not a card number.")
    return SecretStr(token)


CountryCode = Annotated[
    str,
    AfterValidator(_country),
    Field(
        description="ISO 3166-1 alpha-2",
        examples=["NL"],
        json_schema_extra={"enum": sorted(COUNTRIES)},
    ),
]
Email = Annotated[
    str,
    AfterValidator(_email),
    Field(examples=["ada@example.com"], json_schema_extra={"format": "email", "maxLength": 254}),
]


class AddressForm(BaseModel):
    """Where the goods shall go."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [_ADDRESS]}
    )

    name: Annotated[
        str, Field(max_length=100), _needed("Enter the name of whoever receives the goods.")
    ]
    line1: Annotated[str, Field(max_length=100), _needed("Enter street and number.")]
    line2: Annotated[str, Field(max_length=100), AfterValidator(tidy)] = ""
    country: CountryCode
    postal_code: Annotated[str, Field(max_length=12), _needed("Enter a postal code.")]
    city: Annotated[str, Field(max_length=80), _needed("Enter a city.")]
    phone: Annotated[
        str,
        AfterValidator(_phone),
        Field(description="For the carrier, if something is unclear", examples=["+31 20 123 4567"]),
    ] = ""

    @field_validator("postal_code")
    @classmethod
    def _fits_country(cls, postal_code: str, info: ValidationInfo) -> str:
        country = COUNTRIES.get(info.data.get("country", ""))
        if country is None:
            return postal_code  # the country has an error of its own
        postal_code = postal_code.upper()
        if not country.has(postal_code):
            raise PydanticCustomError(
                "postal_code",
                "Enter a postal code of {country}, such as {example}.",
                {"country": country.name, "example": country.example},
            )
        if not country.serves(postal_code):
            raise PydanticCustomError("not_served", "We do not deliver to this postal code.")
        return postal_code

    def address(self) -> Address:
        return Address(**self.model_dump())


class PlaceOrder(BaseModel):
    """What buys the cart."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {
                    "quote_id": _QUOTE["id"],
                    "email": "ada@example.com",
                    "address": _ADDRESS,
                    "payment_token": "4242 4242 4242 4242",
                }
            ]
        },
    )

    quote_id: str = Field(
        min_length=1, max_length=64, description="Of the quote whose total the shopper saw"
    )
    email: Email
    address: AddressForm
    payment_token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        description="Stands for a card; of the test provider, a test card's number. Never stored."
    )

    def details(self) -> CheckoutDetails:
        return CheckoutDetails(
            email=self.email,
            address=self.address.address(),
            quote_id=self.quote_id,
            payment_token=self.payment_token.get_secret_value(),
        )


class AskQuote(BaseModel):
    """Where the cart shall go."""

    model_config = ConfigDict(extra="forbid")

    country: CountryCode


class CancelOrder(BaseModel):
    """Who wants an order called off."""

    model_config = ConfigDict(extra="forbid")

    email: Email


def field_errors(error: ValidationError) -> dict[str, str]:
    """What to say beside each field of a form, by its path such as ``address.city``."""
    return {
        ".".join(str(part) for part in entry["loc"]): entry["msg"]
        for entry in error.errors(include_url=False, include_context=False, include_input=False)
    }


class OrderLineView(BaseModel):
    """Units of one product at the price they were offered at."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    sku: str
    title: str
    choices: list[str]
    quantity: int
    unit_price: MoneyView
    total: MoneyView

    @classmethod
    def of(cls, line: OrderLine) -> "OrderLineView":
        return cls(
            sku=line.sku,
            title=line.title,
            choices=list(line.choices),
            quantity=line.quantity,
            unit_price=MoneyView.of(line.unit_price),
            total=MoneyView.of(line.total),
        )


class TaxLineView(BaseModel):
    """Tax contained in the total."""

    model_config = ConfigDict(json_schema_extra={"examples": _AMOUNTS["taxes"]})

    label: str
    rate_percent: float
    net: MoneyView
    tax: MoneyView

    @classmethod
    def of(cls, line: TaxLine) -> "TaxLineView":
        return cls(
            label=line.label,
            rate_percent=line.rate_bp / 100,
            net=MoneyView.of(line.net),
            tax=MoneyView.of(line.tax),
        )


class _Amounts(BaseModel):
    lines: list[OrderLineView]
    subtotal: MoneyView
    shipping: MoneyView
    taxes: list[TaxLineView] = Field(description="Contained in the total, which they divide")
    total: MoneyView


def _amounts(of: Quote | Order) -> dict[str, Any]:
    return {
        "lines": [OrderLineView.of(line) for line in of.lines],
        "subtotal": MoneyView.of(of.subtotal),
        "shipping": MoneyView.of(of.shipping),
        "taxes": [TaxLineView.of(line) for line in of.taxes],
        "total": MoneyView.of(of.total),
    }


class QuoteView(_Amounts):
    """What the cart costs, delivered to a country."""

    model_config = ConfigDict(json_schema_extra={"examples": [_QUOTE]})

    id: str = Field(description="Send it back with the order: it stands for what was seen")
    country: str

    @classmethod
    def of(cls, quote: Quote) -> "QuoteView":
        return cls(id=quote.id, country=quote.country, **_amounts(quote))


class AddressView(BaseModel):
    """Where the goods go."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ADDRESS]})

    name: str
    line1: str
    line2: str
    country: str
    postal_code: str
    city: str
    phone: str

    @classmethod
    def of(cls, address: Address) -> "AddressView":
        return cls(**{name: getattr(address, name) for name in cls.model_fields})


class PaymentView(BaseModel):
    """What is known of the money."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ORDER["payment"]]})

    state: PaymentState
    confirm_url: str | None = Field(
        description="While it needs confirmation: the page the shopper must visit"
    )

    @classmethod
    def of(cls, payment: Payment) -> "PaymentView":
        return cls(state=payment.state, confirm_url=payment.confirm_url or None)


class OrderView(_Amounts):
    """An order."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ORDER]})

    number: str
    state: OrderState
    cancel_reason: CancelReason | None
    email: str
    address: AddressView
    payment: PaymentView
    placed_at: datetime
    pay_by: datetime = Field(description="An order not paid by then is cancelled")

    @classmethod
    def of(cls, order: Order) -> "OrderView":
        return cls(
            number=order.number,
            state=order.state,
            cancel_reason=order.cancel_reason,
            email=order.email,
            address=AddressView.of(order.address),
            payment=PaymentView.of(order.payment),
            placed_at=order.placed_at,
            pay_by=order.pay_by,
            **_amounts(order),
        )


class CountryView(BaseModel):
    """A country the shop delivers to, and what that costs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "NL",
                    "name": "Netherlands",
                    "postal_code_example": "1012 AB",
                    "shipping": {"amount": 1200, "currency": "EUR", "formatted": "€12"},
                    "free_from": {"amount": 25000, "currency": "EUR", "formatted": "€250"},
                }
            ]
        }
    )

    code: str = Field(description="ISO 3166-1 alpha-2")
    name: str
    postal_code_example: str
    shipping: MoneyView
    free_from: MoneyView = Field(description="Goods of this value and more are delivered free")

    @classmethod
    def of(cls, country: Country, currency: str) -> "CountryView":
        rate = tariff(country.zone, currency)
        return cls(
            code=country.code,
            name=country.name,
            postal_code_example=country.example,
            shipping=MoneyView.of(rate.price),
            free_from=MoneyView.of(rate.free_from),
        )


class CountriesView(BaseModel):
    """Every country the shop delivers to, by name."""

    items: list[CountryView]
