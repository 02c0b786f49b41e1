"""What pages show of the catalogue's values."""

import json
from dataclasses import replace

import pytest

from tests.builders import finishes, product, variant
from tests.storefront.conftest import chair, lamp, look_of
from vitrina.catalogue.model import (
    Availability,
    CategorySummary,
    ListedProduct,
    Option,
    Product,
)
from vitrina.storefront import linked_data
from vitrina.storefront.views import (
    Choice,
    card,
    index_rows,
    nearest_variant,
    product_view,
    rooms,
    tint_of,
)

SUMMARIES = tuple(
    CategorySummary(slug, slug.title(), "", count, None)
    for slug, count in (("chairs", 3), ("empty", 0), ("lamps", 1))
)
OAK, WALNUT = "TOMO-CHAIR-OAK", "TOMO-CHAIR-WALNUT"
SOLD_OUT, IN_STOCK = Availability.SOLD_OUT, Availability.IN_STOCK


def listed(shown: Product) -> ListedProduct:
    return ListedProduct.of(shown)


def test_empty_categories_have_no_room_and_neighbours_have_different_hues() -> None:
    found = rooms(SUMMARIES)

    assert [room.slug for room in found] == ["chairs", "lamps"]
    assert found[0].tint != found[1].tint


def test_what_is_in_no_category_stands_on_the_quiet_ground() -> None:
    assert tint_of("", rooms(SUMMARIES)) == 8


def test_a_card_names_the_lowest_price_and_how_many_finishes_there_are() -> None:
    shown = card(listed(chair()), rooms(SUMMARIES), {})

    assert (str(shown.price), shown.is_from, shown.note) == ("€495", True, "2 finishes")


@pytest.mark.parametrize(
    ("option", "note"),
    [("Size", "2 sizes"), ("Glaze", "2 glazes"), ("Body", "2 bodies"), ("Gloss", "2 glosses")],
)
def test_options_are_counted_in_english(option: str, note: str) -> None:
    shown = replace(chair(), options=(Option(option, ("Oak", "Walnut")),))

    assert card(listed(shown), (), {}).note == note


def test_a_card_is_sold_out_only_when_everything_is() -> None:
    one_left = card(listed(chair()), (), {OAK: SOLD_OUT, WALNUT: IN_STOCK})
    none_left = card(listed(chair()), (), {OAK: SOLD_OUT, WALNUT: SOLD_OUT})
    unknown = card(listed(chair()), (), {})

    assert [one_left.is_sold_out, none_left.is_sold_out, unknown.is_sold_out] == [
        False,
        True,
        False,
    ]


def test_the_index_shows_at_most_four_pictures_of_a_category() -> None:
    many = [
        listed(replace(product(f"chair-{n}"), category="chairs", model=look_of(f"c{n}")))
        for n in range(6)
    ]

    rows = index_rows(rooms(SUMMARIES), many)

    assert [picture.url for picture in rows[0].pictures] == [
        f"/assets/posters/c{n}.webp" for n in range(4)
    ]
    assert rows[1].pictures == ()


def test_the_page_opens_with_the_first_variant_that_can_be_bought() -> None:
    view = product_view(chair(), None, {OAK: SOLD_OUT, WALNUT: IN_STOCK}, ())

    assert view.chosen.sku == WALNUT


def test_a_variant_asked_for_is_shown_even_when_it_is_sold_out() -> None:
    view = product_view(chair(), OAK, {OAK: SOLD_OUT, WALNUT: IN_STOCK}, ())

    assert (view.chosen.sku, view.chosen.can_be_bought) == (OAK, False)


def test_when_everything_is_sold_out_the_first_variant_is_shown() -> None:
    view = product_view(chair(), None, {OAK: SOLD_OUT, WALNUT: SOLD_OUT}, ())

    assert view.chosen.sku == OAK


def names_of(choice: Choice) -> list[str]:
    return [value.name for value in choice.values]


def lamp_with_plug() -> Product:
    """Finish decides look and price, the plug decides neither; one of four is not made."""
    made = [("Brass", "EU", "345"), ("Brass", "UK", "345"), ("Steel", "EU", "315")]
    return replace(
        product("kinoko"),
        options=(Option("Finish", ("Brass", "Steel")), Option("Plug", ("EU", "UK"))),
        variants=tuple(
            variant(
                f"KINOKO-{finish}-{plug}".upper(),
                price,
                choices=(finish, plug),
                material_variant=finish.lower(),
            )
            for finish, plug, price in made
        ),
        model=look_of("kinoko", "brass", "steel"),
    )


def test_finishes_with_pictures_of_their_own_are_chosen_by_picture() -> None:
    same = replace(chair(), model=look_of("tomo"))  # one poster for both

    (pictured,) = product_view(chair(), None, {}, ()).choices
    (worded,) = product_view(same, None, {}, ()).choices

    assert pictured.has_pictures
    assert [value.picture and value.picture.url for value in pictured.values] == [
        "/assets/posters/tomooak.webp",
        "/assets/posters/tomowalnut.webp",
    ]
    assert not worded.has_pictures


def test_each_option_is_a_choice_of_its_own_with_what_it_alone_decides() -> None:
    view = product_view(lamp_with_plug(), None, {}, ())

    finish, plug = view.choices
    assert (finish.field, plug.field) == ("choice_1", "choice_2")
    assert (names_of(finish), names_of(plug)) == (["Brass", "Steel"], ["EU", "UK"])
    assert (finish.has_pictures, plug.has_pictures) == (True, False)
    assert [str(value.price) for value in finish.values] == ["€345", "€315"]
    assert [value.price for value in plug.values] == [None, None]
    assert (view.choice_names, view.chosen.name) == ("finish and plug", "Brass, EU")


def test_one_price_for_all_is_not_repeated_at_every_value() -> None:
    flat = replace(chair(), **finishes("tomo-chair", {"Oak": "495", "Walnut": "495"}))

    (choice,) = product_view(flat, None, {}, ()).choices

    assert [value.price for value in choice.values] == [None, None]


def test_a_value_is_sold_out_only_when_it_is_with_everything_else() -> None:
    left = {"KINOKO-BRASS-EU": SOLD_OUT, "KINOKO-STEEL-EU": SOLD_OUT, "KINOKO-BRASS-UK": IN_STOCK}

    finish, plug = product_view(lamp_with_plug(), None, left, ()).choices

    assert [value.is_sold_out for value in (*finish.values, *plug.values)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("wanted", "sku"),
    [
        (("Brass", "UK"), "KINOKO-BRASS-UK"),
        (("Steel", "UK"), "KINOKO-STEEL-EU"),  # not made: the first option weighs more
        (("Gold", "UK"), "KINOKO-BRASS-UK"),
        (("", ""), "KINOKO-BRASS-EU"),
    ],
)
def test_choices_lead_to_the_nearest_variant(wanted: tuple[str, str], sku: str) -> None:
    assert nearest_variant(lamp_with_plug(), wanted).sku == sku


def test_one_thing_to_buy_leaves_nothing_to_choose() -> None:
    assert product_view(lamp(), None, {}, ()).choices == ()


def test_search_engines_read_an_offer_per_variant_and_the_3d_model() -> None:
    view = product_view(chair(), None, {OAK: IN_STOCK, WALNUT: SOLD_OUT}, rooms(SUMMARIES))

    document = linked_data.product(view, "https://shop.example", "Vitrina")

    assert document["@type"] == "Product"
    assert [
        (offer["sku"], offer["price"], offer["priceCurrency"], offer["availability"], offer["url"])
        for offer in document["offers"]
    ] == [
        (
            sku,
            price,
            "EUR",
            f"https://schema.org/{state}",
            f"https://shop.example/p/tomo-chair?variant={sku}",
        )
        for sku, price, state in ((OAK, "495.00", "InStock"), (WALNUT, "595.00", "SoldOut"))
    ]
    assert document["image"] == [
        f"https://shop.example/assets/posters/tomo{variant}.webp" for variant in ("oak", "walnut")
    ]
    assert document["height"] == {"@type": "QuantitativeValue", "value": 0.8, "unitCode": "MTR"}
    assert document["subjectOf"] == {
        "@type": "3DModel",
        "name": "Tomo chair",
        "encoding": {
            "@type": "MediaObject",
            "contentUrl": "https://shop.example/assets/models/tomo.glb",
            "encodingFormat": "model/gltf-binary",
            "contentSize": "1000",
        },
    }


def test_an_unknown_stock_promises_search_engines_nothing() -> None:
    document = linked_data.product(product_view(lamp(), None, {}, ()), "https://shop.example", "V")

    assert "availability" not in document["offers"][0]


def test_a_document_cannot_close_the_element_it_stands_in() -> None:
    text = linked_data.script({"name": "</script><script>alert(1)</script><!--", "sep": "\u2028"})

    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text)["name"] == "</script><script>alert(1)</script><!--"
