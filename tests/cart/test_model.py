"""The rules of a cart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.cart.errors import CartFull, NotInCart, TooMany
from vitrina.cart.model import MAX_LINES, MAX_QUANTITY, Cart, Line
from vitrina.kernel.money import Money

PRICE = Money(12950, "EUR")
TODAY = Money(11900, "EUR")


def test_a_line_already_there_grows_in_its_place_at_todays_price() -> None:
    cart = Cart("c").with_item("CHAIR", 1, PRICE).with_item("LAMP", 1, PRICE)

    assert cart.with_item("CHAIR", 2, TODAY).lines == (
        Line("CHAIR", 3, TODAY),
        Line("LAMP", 1, PRICE),
    )


def test_a_full_cart_takes_no_further_article_but_more_of_what_it_holds() -> None:
    cart = Cart("c", tuple(Line(f"SKU-{n}", 1, PRICE) for n in range(MAX_LINES)))

    with pytest.raises(CartFull):
        cart.with_item("ONE-MORE", 1, PRICE)
    assert cart.with_item("SKU-7", 1, PRICE).units == MAX_LINES + 1


def test_units_added_little_by_little_meet_the_same_limit() -> None:
    cart = Cart("c").with_item("MUG", MAX_QUANTITY, PRICE)

    with pytest.raises(TooMany):
        cart.with_item("MUG", 1, PRICE)
    with pytest.raises(TooMany):
        cart.with_quantity("MUG", MAX_QUANTITY + 1, PRICE)


@pytest.mark.parametrize("quantity", [0, -1, -99])
def test_no_negative_quantity_ever_enters_a_cart(quantity: int) -> None:
    with pytest.raises(ValueError, match=f"{quantity}"):
        Cart("c").with_item("MUG", quantity, PRICE)
    with pytest.raises(ValueError, match=f"{quantity}"):
        Cart("c").with_item("MUG", 1, PRICE).with_quantity("MUG", quantity, PRICE)


def test_the_quantity_of_something_that_is_not_there_cannot_be_set() -> None:
    with pytest.raises(NotInCart):
        Cart("c").with_quantity("MUG", 1, PRICE)


def test_an_order_takes_out_what_it_bought_and_leaves_what_came_later() -> None:
    at_checkout = Cart("c").with_item("CHAIR", 2, PRICE).with_item("LAMP", 1, PRICE)
    bought = {line.sku: line.quantity for line in at_checkout.lines}
    meanwhile = at_checkout.with_item("CHAIR", 1, PRICE).with_item("MUG", 4, PRICE)

    left = meanwhile.without_bought("order-1", bought)

    assert left.lines == (Line("CHAIR", 1, PRICE), Line("MUG", 4, PRICE))


def test_an_order_takes_its_goods_out_once_however_often_it_is_told_to() -> None:
    empty = Cart("c").with_item("CHAIR", 1, PRICE).without_bought("order-1", {"CHAIR": 1})
    again = empty.with_item("CHAIR", 1, PRICE)

    assert empty.lines == ()
    assert again.without_bought("order-1", {"CHAIR": 1}) == again
    assert again.without_bought("order-2", {"CHAIR": 1}).lines == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.integers(1, 40), st.sampled_from(["add", "set", "out"])
        )
    )
)
def test_whatever_is_done_a_cart_counts_right_and_names_each_article_once(
    steps: list[tuple[str, int, str]],
) -> None:
    cart, expected = Cart("c"), dict[str, int]()
    for sku, quantity, step in steps:
        try:
            if step == "add":
                cart = cart.with_item(sku, quantity, PRICE)
                expected[sku] = expected.get(sku, 0) + quantity
            elif step == "set":
                cart = cart.with_quantity(sku, quantity, PRICE)
                expected[sku] = quantity
            else:
                cart = cart.without_item(sku)
                expected.pop(sku, None)
        except TooMany:
            assert expected[sku] + quantity > MAX_QUANTITY
        except NotInCart:
            assert sku not in expected

    assert {line.sku: line.quantity for line in cart.lines} == expected
    assert len(cart.lines) == len(expected)
    assert cart.units == sum(expected.values())
