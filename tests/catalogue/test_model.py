"""Products as values: what is refused, and what a shopper is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, finishes, product, variant
from tests.catalogue.strategies import products
from vitrina.catalogue.model import (
    MAX_VARIANTS,
    Availability,
    Category,
    Dimensions,
    ListedProduct,
    Option,
    Product,
    PublicationState,
)
from vitrina.catalogue.plain import (
    listed_from_plain,
    listed_to_plain,
    product_from_plain,
    product_to_plain,
)
from vitrina.kernel.money import Money

MANY = tuple(variant(f"V-{n}", choices=(str(n),)) for n in range(MAX_VARIANTS + 1))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"slug": "Oak chair"}, "'Oak chair' cannot be a product's slug"),
        ({"slug": "oak--chair"}, "cannot be a product's slug"),
        ({"slug": "a" * 121}, "at most 120 characters"),
        ({"id": "a/b"}, "'a/b' cannot be a product's id"),
        ({"title": "  "}, "a product's title is empty"),
        ({"title": "a" * 161}, "a product's title has 161 characters"),
        ({"title": "a\x00b"}, "holds the character '\\x00'"),
        ({"description": "half a pair \ud800"}, "holds the character '\\ud800'"),
        ({"category": "Living room"}, "cannot be a product's category"),
        ({"tags": ("oak", "oak")}, "tags repeat: 'oak'"),
        ({"tags": tuple(map(str, range(25)))}, "at most 24 tags"),
        ({"variants": ()}, "1 to 48 variants, this has 0"),
        ({"options": (Option("N", tuple(map(str, range(49)))),), "variants": MANY}, "this has 49"),
        ({"variants": (variant("A"), variant("A"))}, "SKUs repeat: 'A'"),
        ({"variants": (variant("A"), variant("B"))}, "give an option in which they differ"),
        ({"variants": (variant(choices=("Oak",)),)}, "has 1 choices for 0 options"),
        ({"options": (Option("Finish", ("Oak",)),)}, "has 0 choices for 1 options"),
        (
            {"options": (Option("Finish", ("Oak",)),), "variants": (variant(choices=("Ash",)),)},
            "'Ash' is no value of 'Finish'",
        ),
        (
            {
                "options": (Option("Size", ("S", "L")),),
                "variants": (
                    variant("A", choices=("S",)),
                    replace(variant("B", choices=("L",)), price=Money(1, "USD")),
                ),
            },
            "B is priced in another currency than EUR",
        ),
        ({"created_at": datetime(2026, 1, 1)}, "has no time zone"),  # noqa: DTZ001
    ],
)
def test_a_product_that_breaks_a_rule_cannot_be_built(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        replace(product(), **changes)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: variant("oak"), "'oak' is not a SKU"),
        (lambda: variant("A" * 65), "is not a SKU"),
        (lambda: variant(price="-1"), "the price of OAK-CHAIR is −€1: give 0 or more"),
        (lambda: variant(stock_key=""), "the stock key of OAK-CHAIR is empty"),
        (lambda: Option("", ("Oak",)), "an option's name is empty"),
        (lambda: Option("Finish", ("Oak", "Oak")), "values of option 'Finish' repeat: 'Oak'"),
        (lambda: Dimensions(0, 1, 1), "width_m is 0: give metres"),
        (lambda: Dimensions(1, float("nan"), 1), "height_m is nan"),
        (lambda: Dimensions(1, 1, 1000), "depth_m is 1000"),
        (lambda: Category("Chairs", "Chairs"), "cannot be a category's slug"),
    ],
)
def test_parts_that_break_a_rule_cannot_be_built(build: Any, complaint: str) -> None:
    with pytest.raises(ValueError) as refusal:
        build()
    assert complaint in str(refusal.value)


@given(products())
def test_a_product_survives_as_plain_values(any_product: Product) -> None:
    assert product_from_plain(product_to_plain(any_product)) == any_product


@given(products())
def test_a_card_survives_as_plain_values(any_product: Product) -> None:
    listed = ListedProduct.of(any_product)

    assert listed_from_plain(listed_to_plain(listed)) == listed


def test_the_first_publication_stays_however_often_a_product_comes_back() -> None:
    draft = product(state=PublicationState.DRAFT)
    later = NOON + timedelta(days=1)

    back = draft.published(NOON).archived(later).published(later)

    assert (back.state, back.published_at, back.updated_at) == (
        PublicationState.PUBLISHED,
        NOON,
        later,
    )


def test_a_card_shows_the_range_of_prices_and_sorts_by_publication() -> None:
    chair = product(**finishes("chair", {"Oak": "120", "Ash": "90"}), published_at=NOON)

    listed = ListedProduct.of(chair)

    assert (str(listed.lowest_price), str(listed.highest_price)) == ("€90", "€120")
    assert listed.listed_at == NOON


@pytest.mark.parametrize(
    ("available", "told"),
    [
        (-1, Availability.SOLD_OUT),
        (0, Availability.SOLD_OUT),
        (1, Availability.FEW_LEFT),
        (3, Availability.FEW_LEFT),
        (4, Availability.IN_STOCK),
    ],
)
def test_what_a_shopper_is_told_about_the_stock(available: int, told: Availability) -> None:
    assert Availability.of(available) is told


@given(st.lists(st.sampled_from(Availability)))
def test_a_product_is_as_available_as_its_most_available_variant(several: list[Any]) -> None:
    by_promise = [
        Availability.IN_STOCK,
        Availability.FEW_LEFT,
        Availability.UNKNOWN,
        Availability.SOLD_OUT,
    ]

    best = Availability.best(several)

    assert best is min([*several, Availability.SOLD_OUT], key=by_promise.index)
