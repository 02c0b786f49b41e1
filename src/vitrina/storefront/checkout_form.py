"""The checkout form: what somebody typed, and what is wrong with it, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from vitrina.checkout.model import CheckoutDetails
from vitrina.checkout.views import AddressForm, PlaceOrder, field_errors

# In the order of the page.
FIELDS = ("email", "name", "line1", "line2", "postal_code", "city", "country", "phone", "card")


@dataclass(frozen=True, slots=True)
class Form:
    """What a page shows again when something is wrong."""

    entered: Mapping[str, str]
    problems: Mapping[str, str]  # by field, in the order of the page

    @classmethod
    def again(cls, entered: Mapping[str, str], problems: Mapping[str, str] = {}) -> "Form":
        """The checkout's form as it was sent, but for the card: its number never comes back."""
        return cls({name: text for name, text in entered.items() if name != "card"}, problems)


def read(entered: Mapping[str, str], quote_id: str) -> CheckoutDetails | dict[str, str]:
    """The details for the checkout, or what is wrong with which field."""
    try:
        form = PlaceOrder.model_validate(
            {
                # Without one, the checkout answers that the total has changed, and shows it.
                "quote_id": quote_id[:64] or "none",
                "email": entered["email"],
                "address": {name: entered[name] for name in AddressForm.model_fields},
                "payment_token": entered["card"],
            }
        )
    except ValidationError as error:
        found = {_field(path): message for path, message in field_errors(error).items()}
        return {name: found[name] for name in FIELDS if name in found}
    return form.details()


def _field(path: str) -> str:
    return "card" if path == "payment_token" else path.removeprefix("address.")
