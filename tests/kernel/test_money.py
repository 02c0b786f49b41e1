"""Money adds up to the minor unit, and refuses what is not money."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.kernel.money import MINOR_DIGITS, CurrencyMismatch, Money

amounts = st.integers(-(10**12), 10**12)
currencies = st.sampled_from(sorted(MINOR_DIGITS))


@given(amounts, currencies)
def test_the_decimal_form_reads_back_as_the_same_amount(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert Money.parse(money.decimal, currency) == money


@given(st.lists(amounts))
def test_a_sum_equals_the_sum_of_its_minor_units(minors: list[int]) -> None:
    total = Money.sum((Money(minor, "EUR") for minor in minors), "EUR")

    assert total == Money(sum(minors), "EUR")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(129000, "EUR"), "€1,290"),
        (Money(1250, "EUR"), "€12.50"),
        (Money(-1250, "EUR"), "−€12.50"),
        (Money(5000, "JPY"), "¥5,000"),
        (Money(9000, "CHF"), "CHF 90"),
        (Money(1234, "KWD"), "KWD 1.234"),
        (Money(0, "USD"), "$0"),
    ],
)
def test_people_read_amounts_without_idle_zeros(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("amount", ["1.234", "1e-3", "NaN", "Infinity", "", "12,50", "€12"])
def test_an_amount_finer_than_the_minor_unit_or_no_number_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"EUR|amount"):
        Money.parse(amount, "EUR")


def test_a_float_or_a_bool_is_never_money() -> None:
    for minor in (1.0, True, "1"):
        with pytest.raises(TypeError):
            Money(minor, "EUR")  # type: ignore[arg-type]


def test_an_unknown_currency_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="XXX"):
        Money(1, "XXX")


def test_currencies_never_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")


@pytest.mark.parametrize(("minor", "part"), [(250, 25), (245, 24), (255, 26), (-245, -24)])
def test_a_part_is_rounded_half_to_even(minor: int, part: int) -> None:
    assert Money(minor, "EUR").part(1, 10) == Money(part, "EUR")
