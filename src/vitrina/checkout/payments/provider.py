"""What a payment provider must be able to do, whoever it is."""

from dataclasses import dataclass
from typing import Protocol

from vitrina.checkout.model import PaymentState
from vitrina.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Charge:
    """What the provider says about the payment of one order.

    Attributes:
        state: ``NEEDS_CONFIRMATION``, ``SUCCEEDED``, ``DECLINED`` or ``CANCELLED``.
        reference: the provider's own name for it.
        confirm_url: where the shopper confirms it, while it needs that.
    """

    state: PaymentState
    amount: Money
    reference: str
    confirm_url: str = ""


class PaymentProvider(Protocol):
    """Takes money once per order, and tells what happened as often as it is asked.

    Every method raises ``PaymentUnavailable`` when the answer is lost: then the call may or may
    not have had its effect. Each may be repeated, and gives up after 10 seconds.
    """

    @property
    def name(self) -> str:
        """Stored with each payment: who took it."""

    def authorise(self, order_id: str, amount: Money, token: str) -> Charge:
        """Charge a card. A second call for an order changes nothing and says how the first went.

        ``DECLINED`` is final: this order will never be charged.
        """

    def retrieve(self, order_id: str) -> Charge | None:
        """What happened; ``None`` when no charge of this order ever arrived."""

    def cancel(self, order_id: str, amount: Money) -> Charge:
        """Undo the payment of an order: void it, or refund it if the money has moved.

        From the answer on nothing remains charged, and a charge that arrives later is refused,
        also when none had arrived before.

        Returns:
            A charge that is ``CANCELLED`` or ``DECLINED``.
        """
