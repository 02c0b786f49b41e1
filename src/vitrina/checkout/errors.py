"""What a checkout can be refused for, by name."""

from collections.abc import Sequence

from vitrina.kernel.errors import Conflict, NotFound, Refused, ShopError, Unavailable


class KeyMissing(ShopError):
    """The request has no usable Idempotency-Key header."""

    status = 400
    title = "Idempotency-Key needed"

    def __init__(self) -> None:
        super().__init__(
            "Send an Idempotency-Key header of 1 to 255 visible characters: a new random one for "
            "each purchase, the same one when you repeat a request."
        )


class KeyReused(Refused):
    """The idempotency key belongs to an earlier request with other content."""

    title = "Idempotency-Key used before"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key belongs to an earlier request with other content. "
            "Send a new key for a new purchase."
        )


class CheckoutInProgress(Conflict):
    """A request with the same idempotency key is being worked on at this moment."""

    title = "Still being worked on"
    retry = True

    def __init__(self) -> None:
        super().__init__(
            "This order is being worked on at this moment. Ask again in a few seconds."
        )


class CartIsEmpty(Refused):
    """There is nothing in the cart to order."""

    title = "The cart is empty"

    def __init__(self) -> None:
        super().__init__("The cart is empty. Put something in before you check out.")


class NotSoldAnyMore(Conflict):
    """The cart holds something the shop has stopped selling."""

    title = "Not sold any more"

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(f"Not sold any more: {', '.join(skus)}. Take it out of the cart to go on.")
        self.skus = tuple(skus)


class QuoteChanged(Conflict):
    """The cart, a price or the shipping changed since the shopper saw the total."""

    title = "The total has changed"

    def __init__(self, total: str) -> None:
        super().__init__(
            f"The cart or a price has changed since you saw the total: it is now {total}. "
            "Look it over and confirm again."
        )


class SoldOut(Conflict):
    """Fewer pieces are left than the cart asks for."""

    title = "Not enough left"

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__(
            f"Not enough pieces are left of {', '.join(titles)}. "
            "Lower the quantity or take it out of the cart to go on."
        )
        self.titles = tuple(titles)


class AlreadyOrdered(Conflict):
    """This very cart has become an order before, which is paid or waits for its payment."""

    title = "Ordered already"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"These goods are ordered already, as order {number}. "
            "Look at that order before you buy the same again."
        )
        self.number = number


class CountryNotServed(Refused):
    """The shop does not deliver to this country."""

    title = "No delivery there"

    def __init__(self, country: str) -> None:
        super().__init__(f"We do not deliver to {country!r}.")


class PaymentDeclined(Refused):
    """The payment was declined, by the card's bank or on its confirmation page."""

    status = 402
    title = "Payment declined"

    def __init__(self, number: str) -> None:
        super().__init__(
            "The card was declined and nothing was charged. "
            "Your cart is as it was: try another card."
        )
        self.number = number


class OrderCancelled(Conflict):
    """The order this request made has been cancelled since."""

    title = "Order cancelled"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"Order {number} was cancelled and nothing remains charged. "
            "Your cart is as it was: check out again to buy."
        )
        self.number = number


class AlreadyPaid(Conflict):
    """A paid order cannot be cancelled by its buyer."""

    title = "Paid already"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} is paid and cannot be cancelled here.")
        self.number = number


class UnknownOrder(NotFound):
    """No order has this number and this e-mail address."""

    def __init__(self) -> None:
        super().__init__(
            "There is no order with this number and e-mail address. "
            "Both stand in the confirmation of the order."
        )


class UnknownConfirmation(NotFound):
    """No payment waits for a confirmation under this address."""

    def __init__(self) -> None:
        super().__init__("No payment waits for a confirmation under this address.")


class PaymentUnavailable(Unavailable):
    """The payment provider did not answer: whether money moved is not known."""

    def __init__(self) -> None:
        super().__init__("The payment provider does not answer just now. Try again in a moment.")
