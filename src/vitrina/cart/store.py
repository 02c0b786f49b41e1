"""Carts in DynamoDB: one item each, revision-checked, forgotten by TTL."""

from dataclasses import replace
from datetime import datetime

from boto3.dynamodb.conditions import Attr

from vitrina.cart.errors import CartChanged
from vitrina.cart.model import LIFETIME, Cart, Line
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money
from vitrina.platform.dynamo import Collision, DynamoTable, Item

# The SDK repeats an unanswered write within seconds; nobody writes one cart this often meanwhile.
_REVISIONS_REMEMBERED = 16


class CartStore:
    """The table of carts. Threads may share it."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    def get(self, cart_id: str, *, now: datetime) -> Cart:
        """The cart; an empty, never stored one when there is none or its time is over."""
        item = self._table.get({"id": cart_id})
        # DynamoDB removes expired items hours late, so the reader has to look.
        if item is None or item["expires_at"] <= now.timestamp():
            return Cart(cart_id)
        return _from_item(item)

    def save(self, cart: Cart, *, now: datetime) -> Cart:
        """Write the cart unless someone else wrote it since it was read.

        Returns:
            The cart as it now stands in the table.

        Raises:
            CartChanged: another request was faster; read again and repeat.
        """
        earlier = (*cart.earlier, cart.revision)[-_REVISIONS_REMEMBERED:] if cart.revision else ()
        saved = replace(cart, revision=new_id(), earlier=earlier)
        absent = Attr("id").not_exists() | Attr("expires_at").lte(int(now.timestamp()))
        unchanged = Attr("revision").eq(cart.revision) if cart.revision else absent
        try:
            self._table.put(_to_item(saved, now + LIFETIME), when=unchanged)
        except Collision as collision:
            # When an answer is lost the SDK sends the write again, and meets its own first try,
            # or what a third request has written on top of it since.
            if collision.found.get("revision") == saved.revision:
                return saved
            if saved.revision in collision.found.get("earlier", ()):
                return _from_item(collision.found)
            raise CartChanged(cart.id) from collision
        return saved


def _to_item(cart: Cart, expires_at: datetime) -> Item:
    return {
        "id": cart.id,
        "revision": cart.revision,
        "earlier": list(cart.earlier),
        "expires_at": int(expires_at.timestamp()),
        "lines": [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "minor": line.unit_price.minor,
                "currency": line.unit_price.currency,
            }
            for line in cart.lines
        ],
        "bought": list(cart.bought),
    }


def _from_item(item: Item) -> Cart:
    return Cart(
        id=item["id"],
        lines=tuple(
            Line(raw["sku"], raw["quantity"], Money(raw["minor"], raw["currency"]))
            for raw in item["lines"]
        ),
        revision=item["revision"],
        bought=tuple(item["bought"]),
        earlier=tuple(item["earlier"]),
    )
