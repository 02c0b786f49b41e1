"""What things cost: tariffs, taxes, and sums that agree to the last cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import product
from vitrina.cart.model import Cart, Line, PricedCart, PricedLine
from vitrina.checkout.delivery import COUNTRIES, Country, Zone, find_country, shipping_price, tariff
from vitrina.checkout.errors import CartIsEmpty, CountryNotServed, NotSoldAnyMore
from vitrina.checkout.model import Quote, tidy_number
from vitrina.checkout.tax import STANDARD_RATES_BP, included_vat
from vitrina.kernel.ids import new_number
from vitrina.kernel.money import MINOR_DIGITS, Money

CODES = st.sampled_from(sorted(COUNTRIES))
AMOUNTS = st.integers(0, 10**12)


def priced(prices: list[tuple[int, int]]) -> PricedCart:
    """A cart of lines given as (unit price in cents, quantity)."""
    lines = []
    for number, (minor, quantity) in enumerate(prices):
        goods = product(f"goods-{number}", str(Money(minor, "EUR").decimal))
        lines.append(PricedLine(goods, goods.variants[0], quantity, goods.variants[0].price))
    subtotal = Money.sum((line.total for line in lines), "EUR")
    return PricedCart(Cart("cart", revision="1"), tuple(lines), (), subtotal)


@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(1, 99)), min_size=1, max_size=8), CODES
)
def test_lines_and_shipping_make_the_total_and_the_taxes_divide_it_exactly(
    prices: list[tuple[int, int]], code: str
) -> None:
    quote = Quote.of(priced(prices), find_country(code), included_vat)

    assert quote.subtotal.minor == sum(minor * quantity for minor, quantity in prices)
    assert quote.total == quote.subtotal + quote.shipping
    assert Money.sum((line.net + line.tax for line in quote.taxes), "EUR") == quote.total
    assert Money.sum((line.tax for line in quote.taxes), "EUR") == quote.tax
    assert 0 <= quote.tax.minor <= quote.total.minor


@given(AMOUNTS, AMOUNTS, st.sampled_from(sorted(STANDARD_RATES_BP)))
def test_the_tax_is_the_share_of_the_gross_to_half_a_cent(
    goods: int, shipping: int, code: str
) -> None:
    (line,) = included_vat(find_country(code), Money(goods, "EUR"), Money(shipping, "EUR"))

    rate_bp = STANDARD_RATES_BP[code]
    exact_times = (goods + shipping) * rate_bp  # of tax times (10000 + rate)
    assert abs(line.tax.minor * (10_000 + rate_bp) - exact_times) * 2 <= 10_000 + rate_bp
    assert line.rate_bp == rate_bp


@pytest.mark.parametrize(
    ("code", "label", "tax"),
    [
        ("NL", "VAT 21 %", 2099),  # 120.95 / 1.21 = 99.96
        ("FI", "VAT 25.5 %", 2458),
        ("LU", "VAT 17 %", 1757),
        ("HU", "VAT 27 %", 2571),
        ("CH", "Export, free of VAT", 0),
        ("GB", "Export, free of VAT", 0),
    ],
)
def test_each_country_bears_its_own_tax(code: str, label: str, tax: int) -> None:
    (line,) = included_vat(find_country(code), Money(10895, "EUR"), Money(1200, "EUR"))

    assert (line.label, line.tax.minor) == (label, tax)
    assert line.gross.minor == 12095


def test_every_served_country_of_the_union_has_a_rate() -> None:
    union = {code for code, country in COUNTRIES.items() if country.zone is Zone.EU}

    assert union == set(STANDARD_RATES_BP)
    assert len(union) == 27


@pytest.mark.parametrize(("goods", "shipping"), [(0, 1200), (24999, 1200), (25000, 0), (25001, 0)])
def test_shipping_costs_nothing_from_the_threshold_on(goods: int, shipping: int) -> None:
    assert shipping_price(find_country("NL"), Money(goods, "EUR")) == Money(shipping, "EUR")


@pytest.mark.parametrize("currency", sorted(MINOR_DIGITS))
def test_there_is_a_tariff_in_every_currency_the_shop_can_sell_in(currency: str) -> None:
    near, far = tariff(Zone.EU, currency), tariff(Zone.NEIGHBOURS, currency)

    assert Money.zero(currency) < near.price < near.free_from < far.free_from
    assert near.price < far.price < far.free_from


@pytest.mark.parametrize("country", COUNTRIES.values(), ids=lambda country: country.code)
def test_every_example_of_a_postal_code_is_one_we_serve(country: Country) -> None:
    assert country.has(country.example)
    assert country.serves(country.example)
    assert not country.has(country.example + "0000")
    assert not country.has("")


@pytest.mark.parametrize(
    ("code", "postal_code"),
    [("ES", "38001"), ("FI", "22100"), ("DE", "27498"), ("GR", "630 86"), ("GB", "BT1 1AA")],
)
def test_places_with_a_tax_of_their_own_are_not_served(code: str, postal_code: str) -> None:
    assert find_country(code).has(postal_code)
    assert not find_country(code).serves(postal_code)


@pytest.mark.parametrize("code", ["US", "nl", "", "XX", "🇳🇱"])
def test_other_countries_are_not_served(code: str) -> None:
    with pytest.raises(CountryNotServed):
        find_country(code)


def test_an_empty_cart_and_one_with_something_gone_have_no_quote() -> None:
    netherlands = find_country("NL")
    gone = (Line("OLD-CHAIR", 1, Money(1, "EUR")),)
    some = priced([(100, 1)])

    with pytest.raises(CartIsEmpty):
        Quote.of(priced([]), netherlands, included_vat)
    with pytest.raises(NotSoldAnyMore, match="OLD-CHAIR"):
        Quote.of(PricedCart(some.cart, some.lines, gone, some.subtotal), netherlands, included_vat)


def test_a_quote_is_the_same_for_the_same_offer_only() -> None:
    def quote(prices: list[tuple[int, int]], code: str = "NL") -> str:
        return Quote.of(priced(prices), find_country(code), included_vat).id

    offer = quote([(10000, 2), (500, 1)])

    assert offer == quote([(10000, 2), (500, 1)])
    assert offer == quote([(10000, 2), (500, 1)], "BE")  # the same goods for the same money
    assert offer != quote([(10000, 2), (500, 1)], "CH")  # shipping
    assert offer != quote([(10000, 1), (500, 1)])
    assert offer != quote([(10001, 2), (500, 1)])
    assert offer != quote([(500, 2), (10000, 2)])


@pytest.mark.parametrize("typed", ["7k3m-9qxd-2v", " 7K3M 9QXD 2V ", "7k3m9qxd2v", "7K3M–9QXD–2V"])
def test_a_number_is_read_the_way_people_type_it(typed: str) -> None:
    assert tidy_number(typed) == "7K3M-9QXD-2V"


def test_misread_letters_are_the_digits_they_look_like() -> None:
    assert tidy_number("oil0-1234-5o") == "0110-1234-50"


def test_a_tidy_number_stays_as_it_is() -> None:
    for number in (new_number() for _ in range(200)):
        assert tidy_number(number) == number
