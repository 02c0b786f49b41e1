"""Money: whole minor units with an ISO 4217 currency. Never a float, never a bare int."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Self

# ISO 4217 "minor unit" column, for the currencies the shop takes. Others are refused by name.
MINOR_DIGITS = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2,
    "HUF": 2, "INR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "MXN": 2, "NOK": 2, "NZD": 2, "PLN": 2,
    "SEK": 2, "SGD": 2, "TND": 3, "USD": 2, "ZAR": 2,
}  # fmt: skip
_SYMBOLS = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum: a mistake of ours, not the shopper's."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in whole minor units (cents for EUR, yen for JPY)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in MINOR_DIGITS:
            raise ValueError(
                f"currency {self.currency!r} is not one of {', '.join(sorted(MINOR_DIGITS))}"
            )
        if type(self.minor) is not int:  # bool is an int, and no amount
            raise TypeError(f"minor units are whole numbers, got {self.minor!r}")

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a decimal amount such as ``"129.50"``.

        Raises:
            ValueError: not a number, or finer than the currency's minor unit.
        """
        digits = MINOR_DIGITS.get(currency)
        if digits is None:
            raise ValueError(f"currency {currency!r} is unknown")
        try:
            scaled = Decimal(amount).scaleb(digits)
        except ArithmeticError:
            raise ValueError(f"{amount!r} is not an amount such as 129.50") from None
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise ValueError(f"{amount!r} has more than {digits} decimals for {currency}")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def sum(cls, amounts: Iterable["Money"], currency: str) -> "Money":
        """Add up; ``currency`` is that of the result, also when there is nothing to add."""
        total: Money = cls(0, currency)
        for amount in amounts:
            total = total + amount
        return total

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same_currency(other)
        return self.minor < other.minor

    def part(self, numerator: int, denominator: int) -> "Money":
        """The fraction numerator/denominator, rounded half to even to a whole minor unit."""
        exact = Decimal(self.minor) * numerator / denominator
        return Money(int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)), self.currency)

    @property
    def decimal(self) -> str:
        """Plain decimal such as ``"1290.00"``: for machines (schema.org, CSV)."""
        digits = MINOR_DIGITS[self.currency]
        return f"{Decimal(self.minor).scaleb(-digits):.{digits}f}"

    def __str__(self) -> str:
        """For people: ``€1,290``, ``€12.50``, ``CHF 90``. Whole amounts drop their zeros."""
        digits = MINOR_DIGITS[self.currency]
        value = Decimal(abs(self.minor)).scaleb(-digits)
        text = f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.{digits}f}"
        symbol = _SYMBOLS.get(self.currency, f"{self.currency} ")
        return f"{'−' if self.minor < 0 else ''}{symbol}{text}"

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} met {other.currency}")
