"""Orders in PostgreSQL: their tables, and how values become rows and come back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Row,
    Select,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from vitrina.checkout.errors import KeyReused
from vitrina.checkout.model import (
    NEXT,
    Address,
    CancelReason,
    Order,
    OrderLine,
    OrderState,
    Payment,
    PaymentState,
)
from vitrina.checkout.tax import TaxLine
from vitrina.kernel.money import Money
from vitrina.platform.sql import METADATA


def _one_of(column: str, values: type[OrderState | PaymentState | CancelReason]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


ORDERS = Table(
    "orders",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("cancel_reason", Text),
    # Who sent the key: two shoppers may choose the same one.
    Column("key_scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("cart_id", Text, nullable=False),
    Column("cart_revision", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("line1", Text, nullable=False),
    Column("line2", Text, nullable=False),
    Column("postal_code", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("subtotal_minor", BigInteger, nullable=False),
    Column("shipping_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("taxes", JSONB, nullable=False),
    Column("placed_at", DateTime(timezone=True), nullable=False),
    Column("pay_by", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    UniqueConstraint("key_scope", "key", name="uq_orders_key"),
    # What was bought once cannot be bought again from the same state of the same cart.
    Index(
        "uq_orders_cart",
        "cart_id",
        "cart_revision",
        unique=True,
        postgresql_where=text("state <> 'cancelled'"),
    ),
    Index("ix_orders_placed_at", "placed_at", "id"),
    CheckConstraint(_one_of("state", OrderState), name="state"),
    CheckConstraint(_one_of("cancel_reason", CancelReason), name="cancel_reason"),
    CheckConstraint(
        "(state = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancelled_for_a_reason"
    ),
    CheckConstraint(
        "(state = 'awaiting_payment') = (finished_at IS NULL)", name="finished_at_a_time"
    ),
    CheckConstraint("subtotal_minor >= 0 AND shipping_minor >= 0", name="amounts"),
    CheckConstraint("total_minor = subtotal_minor + shipping_minor", name="total"),
    CheckConstraint("tax_minor BETWEEN 0 AND total_minor", name="tax"),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
)

ORDER_LINES = Table(
    "order_lines",
    METADATA,
    Column("order_id", Text, ForeignKey(ORDERS.c.id), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("sku", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("choices", ARRAY(Text), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    Column("stock_key", Text, nullable=False),
    UniqueConstraint("order_id", "sku", name="uq_order_lines_sku"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price_minor >= 0", name="unit_price"),
)

# Append-only: a trigger refuses to change or delete a row.
ORDER_EVENTS = Table(
    "order_events",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", Text, ForeignKey(ORDERS.c.id), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("ix_order_events_order_id", "order_id"),
    CheckConstraint("what <> ''", name="what"),
)

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("order_id", Text, ForeignKey(ORDERS.c.id), primary_key=True),
    Column("provider", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text),
    Column("confirm_url", Text),
    # Until then one request is speaking with the provider, and others keep their hands off.
    Column("busy_until", DateTime(timezone=True), nullable=False),
    CheckConstraint(_one_of("state", PaymentState), name="state"),
    CheckConstraint("amount_minor >= 0", name="amount"),
    CheckConstraint(
        "(state = 'needs_confirmation') = (confirm_url IS NOT NULL)", name="confirm_url"
    ),
)


class OrderStore:
    """Orders within one transaction."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def add(
        self, order: Order, *, key: str, fingerprint: str, provider: str, busy_until: datetime
    ) -> bool:
        """Write a new order with its lines, payment and first event.

        Returns:
            Whether it was written. Not when its key, or this state of its cart, has an order.
        """
        # The conflict waits for the other transaction's end, and then knows.
        written = self._tx.execute(
            upsert(ORDERS)
            .values(_order_row(order, key, fingerprint))
            .on_conflict_do_nothing()
            .returning(ORDERS.c.id)
        ).all()
        if not written:
            return False
        self._tx.execute(insert(ORDER_LINES), _line_rows(order))
        self._tx.execute(
            insert(PAYMENTS).values(
                order_id=order.id,
                provider=provider,
                state=order.payment.state,
                amount_minor=order.total.minor,
                currency=order.total.currency,
                busy_until=busy_until,
            )
        )
        self.note(order.id, "placed", at=order.placed_at)
        return True

    def by_key(self, scope: str, key: str, fingerprint: str) -> Order | None:
        """The order that a request with this key made.

        Raises:
            KeyReused: that request had other content.
        """
        row = self._row(ORDERS.c.key_scope == scope, ORDERS.c.key == key)
        if row is not None and row.fingerprint != fingerprint:
            raise KeyReused
        return self._order(row)

    def by_id(self, order_id: str) -> Order | None:
        return self._order(self._row(ORDERS.c.id == order_id))

    def by_number(self, number: str) -> Order | None:
        return self._order(self._row(ORDERS.c.number == number))

    def by_cart(self, cart_id: str, cart_revision: str) -> Order | None:
        """The order, not cancelled, that this state of this cart became."""
        return self._order(
            self._row(
                ORDERS.c.cart_id == cart_id,
                ORDERS.c.cart_revision == cart_revision,
                ORDERS.c.state != OrderState.CANCELLED,
            )
        )

    def newest(self, *, limit: int, state: OrderState | None = None) -> list[Order]:
        """The last orders placed, newest first."""
        rows = _SELECT.order_by(ORDERS.c.placed_at.desc(), ORDERS.c.id).limit(limit)
        if state is not None:
            rows = rows.where(ORDERS.c.state == state)
        found = self._tx.execute(rows).all()
        lines = self._lines([row.id for row in found])
        return [_from_row(row, lines[row.id]) for row in found]

    def history(self, order_id: str) -> list[tuple[datetime, str, dict[str, Any]]]:
        """What happened to an order, oldest first."""
        events = (
            select(ORDER_EVENTS.c.at, ORDER_EVENTS.c.what, ORDER_EVENTS.c.detail)
            .where(ORDER_EVENTS.c.order_id == order_id)
            .order_by(ORDER_EVENTS.c.id)
        )
        return [(row.at, row.what, row.detail) for row in self._tx.execute(events)]

    def note(self, order_id: str, what: str, *, at: datetime, **detail: str) -> None:
        """Append to the order's history."""
        self._tx.execute(
            insert(ORDER_EVENTS).values(order_id=order_id, at=at, what=what, detail=detail)
        )

    def move(self, order: Order) -> bool:
        """Write the state an order has moved to, if its row still allows that way.

        Returns:
            Whether this transaction moved it. Of several that try, one does.
        """
        moved = self._tx.execute(
            update(ORDERS)
            .where(
                ORDERS.c.id == order.id,
                ORDERS.c.state.in_([here for here in NEXT if order.state in NEXT[here]]),
            )
            .values(
                state=order.state,
                cancel_reason=order.cancel_reason,
                finished_at=order.finished_at,
            )
        )
        return moved.rowcount == 1

    def set_payment(
        self,
        order_id: str,
        payment: Payment,
        *,
        reference: str | None = None,
        only_from: Sequence[PaymentState] = tuple(PaymentState),
    ) -> bool:
        """Write what we know of an order's money, if we knew one of ``only_from`` before.

        Returns:
            Whether it was written.
        """
        values: dict[str, Any] = {
            "state": payment.state,
            "confirm_url": payment.confirm_url or None,
        }
        if reference is not None:
            values["reference"] = reference
        written = self._tx.execute(
            update(PAYMENTS)
            .where(PAYMENTS.c.order_id == order_id, PAYMENTS.c.state.in_(only_from))
            .values(values)
        )
        return written.rowcount == 1

    def claim_payment(self, order_id: str, *, now: datetime, until: datetime) -> bool:
        """Become the one who speaks with the provider about an order.

        Returns:
            Whether nobody else does, and nothing is known of the payment yet.
        """
        claimed = self._tx.execute(
            update(PAYMENTS)
            .where(
                PAYMENTS.c.order_id == order_id,
                PAYMENTS.c.state == PaymentState.OPEN,
                PAYMENTS.c.busy_until <= now,
            )
            .values(busy_until=until)
        )
        return claimed.rowcount == 1

    def busy_until(self, order_id: str) -> datetime:
        """Until when a request may be speaking with the provider about an order."""
        until: datetime = self._tx.execute(
            select(PAYMENTS.c.busy_until).where(PAYMENTS.c.order_id == order_id)
        ).scalar_one()
        return until

    def _row(self, *where: Any) -> Row[Any] | None:
        return self._tx.execute(_SELECT.where(*where)).one_or_none()

    def _order(self, row: Row[Any] | None) -> Order | None:
        return _from_row(row, self._lines([row.id])[row.id]) if row is not None else None

    def _lines(self, order_ids: list[str]) -> dict[str, list[Row[Any]]]:
        lines: dict[str, list[Row[Any]]] = {order_id: [] for order_id in order_ids}
        rows = (
            select(ORDER_LINES)
            .where(ORDER_LINES.c.order_id.in_(order_ids))
            .order_by(ORDER_LINES.c.order_id, ORDER_LINES.c.position)
        )
        for row in self._tx.execute(rows):
            lines[row.order_id].append(row)
        return lines


def key_scope(cart_id: str) -> str:
    """Whose idempotency keys these are. Guests are known by their cart."""
    return f"cart:{cart_id}"


_SELECT: Select[Any] = select(
    ORDERS, PAYMENTS.c.state.label("payment_state"), PAYMENTS.c.confirm_url
).join_from(ORDERS, PAYMENTS)


def _order_row(order: Order, key: str, fingerprint: str) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "state": order.state,
        "key_scope": key_scope(order.cart_id),
        "key": key,
        "fingerprint": fingerprint,
        "cart_id": order.cart_id,
        "cart_revision": order.cart_revision,
        "email": order.email,
        **{name: getattr(order.address, name) for name in Address.__slots__},
        "currency": order.total.currency,
        "subtotal_minor": order.subtotal.minor,
        "shipping_minor": order.shipping.minor,
        "tax_minor": order.tax.minor,
        "total_minor": order.total.minor,
        "taxes": [
            {
                "label": line.label,
                "rate_bp": line.rate_bp,
                "net_minor": line.net.minor,
                "tax_minor": line.tax.minor,
            }
            for line in order.taxes
        ],
        "placed_at": order.placed_at,
        "pay_by": order.pay_by,
    }


def _line_rows(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.id,
            "position": position,
            "sku": line.sku,
            "title": line.title,
            "choices": list(line.choices),
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price.minor,
            "stock_key": line.stock_key,
        }
        for position, line in enumerate(order.lines)
    ]


def _from_row(row: Row[Any], lines: list[Row[Any]]) -> Order:
    currency = row.currency
    return Order(
        id=row.id,
        number=row.number,
        state=OrderState(row.state),
        email=row.email,
        address=Address(**{name: getattr(row, name) for name in Address.__slots__}),
        lines=tuple(
            OrderLine(
                sku=line.sku,
                title=line.title,
                choices=tuple(line.choices),
                quantity=line.quantity,
                unit_price=Money(line.unit_price_minor, currency),
                stock_key=line.stock_key,
            )
            for line in lines
        ),
        subtotal=Money(row.subtotal_minor, currency),
        shipping=Money(row.shipping_minor, currency),
        taxes=tuple(
            TaxLine(
                raw["label"],
                raw["rate_bp"],
                Money(raw["net_minor"], currency),
                Money(raw["tax_minor"], currency),
            )
            for raw in row.taxes
        ),
        cart_id=row.cart_id,
        cart_revision=row.cart_revision,
        placed_at=row.placed_at,
        pay_by=row.pay_by,
        finished_at=row.finished_at,
        cancel_reason=CancelReason(row.cancel_reason) if row.cancel_reason else None,
        payment=Payment(PaymentState(row.payment_state), row.confirm_url or ""),
    )
