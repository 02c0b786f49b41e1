"""Use cases: what shoppers see and when, what merchants may write."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine

from tests.builders import NOON, finishes, product, variant
from vitrina.catalogue import service
from vitrina.catalogue.errors import (
    BadCursor,
    ProductChanged,
    SlugTaken,
    UnknownCategory,
    UnknownProduct,
    UnknownSku,
    WrongCurrency,
)
from vitrina.catalogue.model import Availability, Category, PublicationState
from vitrina.catalogue.service import Catalogue
from vitrina.kernel.errors import Unavailable
from vitrina.kernel.money import Money
from vitrina.platform.dynamo import DynamoTable


class Clock:
    """Seconds that pass only when told to."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def remembering(catalogue: Catalogue, table: DynamoTable, db: Engine, clock: Clock) -> Catalogue:
    """Another process of the same shop, which remembers for five seconds."""
    return Catalogue.over(table, db, currency="EUR", max_age_s=5, clock=clock)


def test_a_published_product_is_found_by_its_address_and_its_skus(catalogue: Catalogue) -> None:
    saved = service.save_product(
        catalogue, product(**finishes("chair", {"Oak": "90", "Ash": "80"})), now=NOON
    )

    assert service.get_product(catalogue, "chair") == saved
    assert service.find_variant(catalogue, "CHAIR-ASH") == (saved, saved.variants[1])


@pytest.mark.parametrize("state", [PublicationState.DRAFT, PublicationState.ARCHIVED])
def test_a_product_that_is_not_published_is_not_there(
    catalogue: Catalogue, state: PublicationState
) -> None:
    saved = service.save_product(catalogue, product("chair", state=state), now=NOON)

    with pytest.raises(UnknownProduct, match="'chair'"):
        service.get_product(catalogue, "chair")
    with pytest.raises(UnknownSku, match="'CHAIR'"):
        service.find_variant(catalogue, "CHAIR")
    assert service.find_product(catalogue, "chair") == saved


@pytest.mark.parametrize("name", ["", "nothing", "No Such", "x" * 5000, "\x00", "a#b", "\ud800"])
def test_names_that_nothing_has_are_unknown_and_not_our_mistake(
    catalogue: Catalogue, name: str
) -> None:
    with pytest.raises(UnknownProduct):
        service.get_product(catalogue, name)
    with pytest.raises(UnknownProduct):
        service.find_product(catalogue, name)
    with pytest.raises(UnknownSku):
        service.find_variant(catalogue, name)
    with pytest.raises(UnknownCategory):
        service.list_products(catalogue, category=name)


def test_a_former_address_gives_the_product_with_its_present_one(catalogue: Catalogue) -> None:
    saved = service.save_product(catalogue, product("stool"), now=NOON)
    service.save_product(catalogue, replace(saved, slug="bar-stool"), now=NOON)

    assert service.get_product(catalogue, "stool").slug == "bar-stool"


def test_another_process_sees_a_change_when_what_it_remembers_is_due(
    catalogue: Catalogue, remembering: Catalogue, clock: Clock
) -> None:
    saved = service.save_product(catalogue, product("chair", "90"), now=NOON)
    assert str(service.get_product(remembering, "chair").lowest_price) == "€90"
    service.save_product(catalogue, replace(saved, variants=(variant("CHAIR", "70"),)), now=NOON)

    clock.now_s += 4.9
    assert str(service.get_product(remembering, "chair").lowest_price) == "€90"
    clock.now_s += 0.1
    assert str(service.get_product(remembering, "chair").lowest_price) == "€70"


def test_the_process_that_writes_sees_its_change_everywhere_at_once(remembering: Catalogue) -> None:
    lamp = service.save_product(remembering, product("lamp", "40"), now=NOON)
    service.get_product(remembering, "lamp")
    service.find_variant(remembering, "LAMP")
    service.list_products(remembering)
    service.search_products(remembering, "lamp")
    for name in ("new-lamp", "chair"):
        with pytest.raises(UnknownProduct):
            service.get_product(remembering, name)
    with pytest.raises(UnknownSku):
        service.find_variant(remembering, "NEW-LAMP")
    assert service.categories(remembering)[0].count == 0

    service.save_product(
        remembering,
        replace(lamp, slug="new-lamp", variants=(variant("NEW-LAMP", "45"),), category="chairs"),
        now=NOON,
    )

    assert service.get_product(remembering, "lamp").slug == "new-lamp"
    assert service.get_product(remembering, "new-lamp").lowest_price == Money(4500, "EUR")
    assert service.find_variant(remembering, "NEW-LAMP")[1].price == Money(4500, "EUR")
    with pytest.raises(UnknownSku):
        service.find_variant(remembering, "LAMP")
    assert service.list_products(remembering).items[0].slug == "new-lamp"
    assert service.search_products(remembering, "lamp").items[0].slug == "new-lamp"
    assert service.categories(remembering)[0].count == 1
    service.save_category(remembering, Category("lamps", "Lamps"))
    assert service.get_category(remembering, "lamps").title == "Lamps"


def test_the_shop_can_be_browsed_from_memory_while_the_table_is_down(
    remembering: Catalogue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = service.save_product(remembering, product("chair", category="chairs"), now=NOON)

    def browse() -> list[str]:
        return [
            service.get_product(remembering, "chair").slug,
            service.list_products(remembering, category="chairs").items[0].slug,
            service.search_products(remembering, "chair").items[0].slug,
            service.categories(remembering)[0].slug,
        ]

    seen = browse()
    table = remembering.store._table

    def down(*_: object, **__: object) -> None:
        raise Unavailable("down")

    monkeypatch.setattr(table, "_call", down)
    clock.now_s += 3000

    assert browse() == seen
    with pytest.raises(Unavailable):
        service.find_product(remembering, "chair")
    with pytest.raises(Unavailable):
        service.save_product(remembering, saved, now=NOON)


def test_a_listing_goes_on_by_cursor_to_its_end(catalogue: Catalogue) -> None:
    for number in range(5):
        service.save_product(
            catalogue,
            product(f"chair-{number}", created_at=NOON + timedelta(hours=number)),
            now=NOON,
        )

    first = service.list_products(catalogue, limit=2)
    second = service.list_products(catalogue, limit=2, cursor=first.next_cursor)
    third = service.list_products(catalogue, limit=2, cursor=second.next_cursor)

    slugs = [[listed.slug for listed in page.items] for page in (first, second, third)]
    assert slugs == [["chair-4", "chair-3"], ["chair-2", "chair-1"], ["chair-0"]]
    assert third.next_cursor is None


def test_a_stretch_that_ends_with_the_listing_has_no_next(catalogue: Catalogue) -> None:
    for number in range(2):
        service.save_product(catalogue, product(f"chair-{number}"), now=NOON)

    assert service.list_products(catalogue, limit=2).next_cursor is None


def test_a_cursor_of_another_listing_or_a_damaged_one_is_refused(catalogue: Catalogue) -> None:
    for number in range(3):
        service.save_product(catalogue, product(f"chair-{number}", category="chairs"), now=NOON)
    cursor = service.list_products(catalogue, limit=1).next_cursor
    searched = service.search_products(catalogue, "", limit=1).next_cursor
    assert cursor
    assert searched

    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for broken in (flipped, cursor[1:], cursor + "=", "", "é", "a" * 401, "AAAA", searched):
        with pytest.raises(BadCursor):
            service.list_products(catalogue, limit=1, cursor=broken)
    with pytest.raises(BadCursor):
        service.list_products(catalogue, order="price", limit=1, cursor=cursor)
    with pytest.raises(BadCursor):
        service.list_products(catalogue, category="chairs", limit=1, cursor=cursor)
    with pytest.raises(BadCursor):
        service.search_products(catalogue, "chair", limit=1, cursor=searched)
    with pytest.raises(BadCursor):
        service.search_products(catalogue, "", limit=1, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_a_mistake_of_the_caller(catalogue: Catalogue, limit: int) -> None:
    with pytest.raises(ValueError, match="limit="):
        service.list_products(catalogue, limit=limit)
    with pytest.raises(ValueError, match="limit="):
        service.search_products(catalogue, "", limit=limit)


def test_categories_tell_how_much_they_hold(catalogue: Catalogue) -> None:
    service.save_category(catalogue, Category("lamps", "Lamps", position=-1, blurb="Light."))
    for number in range(2):
        service.save_product(catalogue, product(f"chair-{number}", category="chairs"), now=NOON)
    service.save_product(
        catalogue, product("draft", category="lamps", state=PublicationState.DRAFT), now=NOON
    )

    assert [
        (category.slug, category.title, category.blurb, category.count)
        for category in service.categories(catalogue)
    ] == [("lamps", "Lamps", "Light.", 0), ("chairs", "Chairs", "", 2)]


def test_availability_follows_the_stock(catalogue: Catalogue) -> None:
    service.set_stock(catalogue, {"many": 40, "few": 3, "none": 0})

    assert service.availability(catalogue, ["many", "few", "none", "never"]) == {
        "many": Availability.IN_STOCK,
        "few": Availability.FEW_LEFT,
        "none": Availability.SOLD_OUT,
        "never": Availability.SOLD_OUT,
    }


def test_availability_is_remembered_for_seconds_and_renewed_by_who_sets_it(
    catalogue: Catalogue, remembering: Catalogue, clock: Clock
) -> None:
    service.set_stock(catalogue, {"chair": 9})
    assert service.availability(remembering, ["chair"])["chair"] is Availability.IN_STOCK
    service.set_stock(catalogue, {"chair": 0})

    clock.now_s += service.STOCK_AGE_S - 0.1
    assert service.availability(remembering, ["chair"])["chair"] is Availability.IN_STOCK
    clock.now_s += 0.1
    assert service.availability(remembering, ["chair"])["chair"] is Availability.SOLD_OUT
    service.set_stock(remembering, {"chair": 1})
    assert service.availability(remembering, ["chair"])["chair"] is Availability.FEW_LEFT


def test_availability_is_unknown_while_the_database_is_down(table: DynamoTable) -> None:
    nobody_listens = create_engine(
        "postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1}
    )
    catalogue = Catalogue.over(table, nobody_listens, currency="EUR", max_age_s=0)

    assert service.availability(catalogue, ["chair"]) == {"chair": Availability.UNKNOWN}


def test_stock_is_set_for_all_keys_or_none(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="the stock of b is -1"):
        service.set_stock(catalogue, {"a": 5, "b": -1})

    assert service.availability(catalogue, ["a"]) == {"a": Availability.SOLD_OUT}


def test_what_a_merchant_may_not_write_leaves_the_table_as_it_was(
    catalogue: Catalogue, table: DynamoTable
) -> None:
    saved = service.save_product(catalogue, product("chair"), now=NOON)
    before = sorted(table.scan(), key=str)
    dollars = replace(variant("D"), price=Money(100, "USD"))

    with pytest.raises(WrongCurrency, match="in USD, but this shop sells in EUR"):
        service.save_product(catalogue, product("d", variants=(dollars,)), now=NOON)
    with pytest.raises(UnknownCategory, match="'sofas'"):
        service.save_product(catalogue, product("sofa", category="sofas"), now=NOON)
    with pytest.raises(SlugTaken, match="'chair'"):
        service.save_product(catalogue, product("chair", variants=(variant("X"),)), now=NOON)
    with pytest.raises(ProductChanged):
        service.save_product(catalogue, replace(saved, revision="other"), now=NOON)

    assert sorted(table.scan(), key=str) == before


def test_saving_stamps_the_time_of_the_change(catalogue: Catalogue) -> None:
    later = NOON + timedelta(days=3)

    assert service.save_product(catalogue, product("chair"), now=later).updated_at == later


def test_publishing_and_archiving_twice_is_doing_it_once(catalogue: Catalogue) -> None:
    service.save_product(catalogue, product("chair", state=PublicationState.DRAFT), now=NOON)
    later = NOON + timedelta(days=3)

    published = service.publish(catalogue, "chair", now=NOON)
    assert service.publish(catalogue, "chair", now=later) == published
    assert service.get_product(catalogue, "chair") == published
    archived = service.archive(catalogue, "chair", now=NOON)
    assert service.archive(catalogue, "chair", now=later) == archived
    assert archived.state is PublicationState.ARCHIVED
    with pytest.raises(UnknownProduct):
        service.publish(catalogue, "nothing", now=NOON)
