"""What can be refused about a cart, by name."""

from vitrina.kernel.errors import Conflict, NotFound, Refused


class CartFull(Refused):
    """The cart holds as many different articles as a cart may."""

    title = "The cart is full"

    def __init__(self, max_lines: int) -> None:
        super().__init__(
            f"A cart holds at most {max_lines} different articles. Remove one to add another."
        )


class TooMany(Refused):
    """More units of one article than a single order may hold."""

    title = "Too many of one article"

    def __init__(self, sku: str, max_quantity: int) -> None:
        super().__init__(f"A cart holds at most {max_quantity} units of {sku}.")


class NotInCart(NotFound):
    """The cart has no line with this SKU, or not any more."""

    title = "Not in the cart"

    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} is not in the cart.")


class CartChanged(Conflict):
    """Another request wrote the cart since it was read."""

    title = "The cart was changed"
    retry = True

    def __init__(self, cart_id: str) -> None:
        super().__init__(
            "The cart was changed by another request at the same moment. Look at it and try again."
        )
        self.cart_id = cart_id
