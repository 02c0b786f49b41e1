"""Where the shop delivers to and what that costs: values and tables, no I/O.

Countries are those of the European Union and three neighbours; the form of postal codes follows
the Universal Postal Union's addressing guides. Places outside the EU's VAT territory (Directive
2006/112/EC, article 6), or with VAT rates of their own, are not served: their tax would be wrong.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from vitrina.checkout.errors import CountryNotServed
from vitrina.kernel.money import Money


class Zone(StrEnum):
    """Countries that cost the same to deliver to."""

    EU = "eu"
    NEIGHBOURS = "neighbours"  # a customs border lies on the way


@dataclass(frozen=True, slots=True)
class Country:
    """A country the shop delivers to.

    Attributes:
        code: ISO 3166-1 alpha-2.
        postal_code: regular expression for its postal codes, in capitals.
        example: a postal code such as people write it there.
        not_served: beginnings, without spaces, of the postal codes we do not deliver to.
    """

    code: str
    name: str
    zone: Zone
    postal_code: str
    example: str
    not_served: tuple[str, ...] = ()

    def has(self, postal_code: str) -> bool:
        """Whether this could be a postal code of the country, served or not."""
        return re.fullmatch(self.postal_code, postal_code, re.ASCII) is not None

    def serves(self, postal_code: str) -> bool:
        """Whether we deliver to this postal code of the country."""
        return not postal_code.replace(" ", "").startswith(self.not_served)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a delivery costs: one price, and nothing for goods worth ``free_from`` or more."""

    price: Money
    free_from: Money


def find_country(code: str) -> Country:
    """The country with this ISO code.

    Raises:
        CountryNotServed: we do not deliver there.
    """
    try:
        return COUNTRIES[code]
    except KeyError:
        raise CountryNotServed(code) from None


def tariff(zone: Zone, currency: str) -> Tariff:
    """What a delivery into a zone costs, in a currency of ``kernel.money``."""
    price, free_from = _TARIFFS[currency][zone]
    return Tariff(Money.parse(str(price), currency), Money.parse(str(free_from), currency))


def shipping_price(country: Country, goods: Money) -> Money:
    """What it costs to deliver goods of this value to a country."""
    rate = tariff(country.zone, goods.currency)
    return rate.price if goods < rate.free_from else Money.zero(goods.currency)


_EU, _NEIGHBOURS = Zone.EU, Zone.NEIGHBOURS
_EIRCODE = r"(?:[AC-FHKNPRTV-Y]\d{2}|D6W) ?[0-9AC-FHKNPRTV-Y]{4}"
COUNTRIES = {
    country.code: country
    for country in (
        Country("AT", "Austria", _EU, r"\d{4}", "1010", ("6691", "6991", "6992", "6993")),
        Country("BE", "Belgium", _EU, r"\d{4}", "1000"),
        Country("BG", "Bulgaria", _EU, r"\d{4}", "1000"),
        Country("HR", "Croatia", _EU, r"\d{5}", "10000"),
        Country("CY", "Cyprus", _EU, r"\d{4}", "1010"),
        Country("CZ", "Czechia", _EU, r"\d{3} ?\d{2}", "110 00"),
        Country("DK", "Denmark", _EU, r"\d{4}", "1050", ("39",)),
        Country("EE", "Estonia", _EU, r"\d{5}", "10111"),
        Country("FI", "Finland", _EU, r"\d{5}", "00100", ("22",)),
        Country("FR", "France", _EU, r"\d{5}", "75001", ("97", "98")),
        Country("DE", "Germany", _EU, r"\d{5}", "10115", ("27498", "78266")),
        Country("GR", "Greece", _EU, r"\d{3} ?\d{2}", "104 31", ("63086", "63087")),
        Country("HU", "Hungary", _EU, r"\d{4}", "1011"),
        Country("IE", "Ireland", _EU, _EIRCODE, "D02 AF30"),
        Country("IT", "Italy", _EU, r"\d{5}", "00118", ("22061", "23041")),
        Country("LV", "Latvia", _EU, r"LV-\d{4}", "LV-1010"),
        Country("LT", "Lithuania", _EU, r"(?:LT-)?\d{5}", "LT-01100"),
        Country("LU", "Luxembourg", _EU, r"(?:L-)?\d{4}", "1009"),
        Country("MT", "Malta", _EU, r"[A-Z]{3} ?\d{4}", "VLT 1010"),
        Country("NL", "Netherlands", _EU, r"[1-9]\d{3} ?[A-Z]{2}", "1012 AB"),
        Country("NO", "Norway", _NEIGHBOURS, r"\d{4}", "0150"),
        Country("PL", "Poland", _EU, r"\d{2}-\d{3}", "00-001"),
        Country("PT", "Portugal", _EU, r"\d{4}-\d{3}", "1000-001", ("9",)),
        Country("RO", "Romania", _EU, r"\d{6}", "010011"),
        Country("SK", "Slovakia", _EU, r"\d{3} ?\d{2}", "811 01"),
        Country("SI", "Slovenia", _EU, r"(?:SI-)?\d{4}", "1000"),
        Country("ES", "Spain", _EU, r"\d{5}", "28001", ("35", "38", "51", "52")),
        Country("SE", "Sweden", _EU, r"\d{3} ?\d{2}", "111 20"),
        Country("CH", "Switzerland", _NEIGHBOURS, r"\d{4}", "8001"),
        Country(
            "GB",
            "United Kingdom",
            _NEIGHBOURS,
            r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
            "SW1A 1AA",
            ("BT", "GY", "IM", "JE"),
        ),
    )
}

# The house tariff of November 2026: round amounts near 12 and 39 euro, and no charge from 250 and
# 1,000 euro on. Whole units of the currency: (price, free from).
_TARIFFS: dict[str, dict[Zone, tuple[int, int]]] = {
    currency: {_EU: eu, _NEIGHBOURS: neighbours}
    for currency, eu, neighbours in (
        ("AUD", (20, 400), (65, 1_700)),
        ("BRL", (75, 1_500), (240, 6_000)),
        ("CAD", (19, 400), (60, 1_600)),
        ("CHF", (12, 250), (39, 950)),
        ("CLP", (13_000, 270_000), (42_000, 1_100_000)),
        ("CZK", (300, 6_000), (950, 25_000)),
        ("DKK", (90, 1_900), (290, 7_500)),
        ("EUR", (12, 250), (39, 1_000)),
        ("GBP", (10, 220), (34, 850)),
        ("HUF", (4_800, 100_000), (15_500, 400_000)),
        ("INR", (1_200, 25_000), (4_000, 100_000)),
        ("JPY", (2_000, 40_000), (6_400, 165_000)),
        ("KRW", (20_000, 400_000), (64_000, 1_600_000)),
        ("KWD", (4, 85), (14, 350)),
        ("MXN", (260, 5_400), (850, 22_000)),
        ("NOK", (140, 2_900), (450, 11_500)),
        ("NZD", (22, 460), (72, 1_850)),
        ("PLN", (52, 1_070), (167, 4_300)),
        ("SEK", (135, 2_800), (440, 11_200)),
        ("SGD", (18, 375), (58, 1_500)),
        ("TND", (40, 830), (130, 3_300)),
        ("USD", (14, 290), (45, 1_150)),
        ("ZAR", (250, 5_200), (800, 20_500)),
    )
}
