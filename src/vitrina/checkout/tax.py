"""Value-added tax: which rate a delivery bears, and how much of a price is tax. No I/O.

Prices include the tax of the country they are delivered to, as EU law has it for consumers.
Deliveries out of the EU leave without tax; the buyer's customs collects its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from vitrina.checkout.delivery import Country, Zone
from vitrina.kernel.money import Money


@dataclass(frozen=True, slots=True)
class TaxLine:
    """Tax contained in a part of the total.

    Attributes:
        label: for people, such as "VAT 21 %".
        rate_bp: the rate in basis points: 2100 is 21 %.
        net: the part without its tax.
        tax: the tax. ``net + tax`` is what the shopper pays for the part.
    """

    label: str
    rate_bp: int
    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        return self.net + self.tax


# Replaceable: goods and shipping as the shopper pays them, in; lines whose gross adds up to
# exactly that, out.
TaxCalculator = Callable[[Country, Money, Money], tuple[TaxLine, ...]]


def included_vat(country: Country, goods: Money, shipping: Money) -> tuple[TaxLine, ...]:
    """The VAT contained in the prices, at the country's standard rate.

    Shipping is ancillary to the goods and bears their rate. The tax is rounded once, for the
    whole order, half to even.
    """
    gross = goods + shipping
    if country.zone is not Zone.EU:
        return (TaxLine("Export, free of VAT", 0, gross, Money.zero(gross.currency)),)
    rate_bp = STANDARD_RATES_BP[country.code]
    tax = gross.part(rate_bp, 10_000 + rate_bp)
    return (TaxLine(f"VAT {_percent(rate_bp)}", rate_bp, gross - tax, tax),)


def _percent(rate_bp: int) -> str:
    return f"{rate_bp / 100:g} %"


# Standard rates in basis points. Source: European Commission, Taxes in Europe Database (TEDB), as
# in force on 2026-09-23; the last changes were Slovakia on 2025-01-01, Estonia on 2025-07-01 and
# Romania on 2025-08-01.
STANDARD_RATES_BP = {
    "AT": 2000, "BE": 2100, "BG": 2000, "CY": 1900, "CZ": 2100, "DE": 1900, "DK": 2500,
    "EE": 2400, "ES": 2100, "FI": 2550, "FR": 2000, "GR": 2400, "HR": 2500, "HU": 2700,
    "IE": 2300, "IT": 2200, "LT": 2100, "LU": 1700, "LV": 2100, "MT": 1800, "NL": 2100,
    "PL": 2300, "PT": 2300, "RO": 2100, "SE": 2500, "SI": 2200, "SK": 2300,
}  # fmt: skip
