"""The table: what is written together, who wins a race, what a listing shows in which order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOON, finishes, product, variant
from tests.catalogue.strategies import products
from vitrina.catalogue.errors import ProductChanged, SkuTaken, SlugTaken
from vitrina.catalogue.model import (
    MAX_VARIANTS,
    Category,
    ListedProduct,
    Option,
    Order,
    Product,
    PublicationState,
)
from vitrina.catalogue.store import BEGINNING, CatalogueStore, place_of
from vitrina.platform.dynamo import DynamoTable

ONE_SHOP = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def store(table: DynamoTable) -> CatalogueStore:
    return CatalogueStore(table)


def everything(table: DynamoTable) -> list[Any]:
    return sorted(table.scan(), key=lambda item: (item["pk"], item["sk"]))


@ONE_SHOP
@given(any_product=products())
def test_a_product_comes_back_as_it_was_saved(store: CatalogueStore, any_product: Product) -> None:
    named = replace(
        any_product,
        slug=f"s-{any_product.id.lower().replace('_', '').replace('-', '')}",
        variants=tuple(
            replace(each, sku=f"{any_product.id.upper().replace('_', '').replace('-', '')}.{n}")
            for n, each in enumerate(any_product.variants)
        ),
    )

    saved = store.save(named, now=NOON)

    assert store.get(named.id) == saved == replace(named, revision=saved.revision)
    assert store.id_of_slug(named.slug) == named.id
    assert {store.id_of_sku(each.sku) for each in named.variants} == {named.id}


def test_a_save_over_someone_elses_is_refused_and_changes_nothing(store: CatalogueStore) -> None:
    read = store.save(product(), now=NOON)
    theirs = store.save(replace(read, title="Theirs"), now=NOON)

    with pytest.raises(ProductChanged):
        store.save(replace(read, title="Mine", slug="mine"), now=NOON)

    assert store.get(read.id) == theirs
    assert store.id_of_slug("mine") is None


def test_of_many_who_change_one_product_at_once_one_wins(store: CatalogueStore) -> None:
    read = store.save(product(), now=NOON)

    def change(number: int) -> str | None:
        try:
            return store.save(replace(read, title=f"Title {number}"), now=NOON).title
        except ProductChanged:
            return None

    with ThreadPoolExecutor(8) as writers:
        won = [title for title in writers.map(change, range(16)) if title]

    (title,) = won
    kept = store.get(read.id)
    assert kept is not None
    assert kept.title == title


def test_of_many_who_claim_one_address_at_once_one_gets_it(
    store: CatalogueStore, table: DynamoTable
) -> None:
    def claim(number: int) -> Product | None:
        try:
            claimed = product("oak-chair", variants=(variant(f"CHAIR-{number}"),))
            return store.save(claimed, now=NOON)
        except SlugTaken:
            return None

    with ThreadPoolExecutor(8) as writers:
        won = [winner for winner in writers.map(claim, range(16)) if winner]

    (winner,) = won
    assert store.id_of_slug("oak-chair") == winner.id
    # The losers left nothing: product, listing, slug and SKU of the winner are all there is.
    assert len(everything(table)) == 4


def test_of_many_who_claim_one_sku_at_once_one_gets_it(
    store: CatalogueStore, table: DynamoTable
) -> None:
    def claim(number: int) -> Product | None:
        try:
            claimed = product(f"chair-{number}", variants=(variant("CHAIR"),))
            return store.save(claimed, now=NOON)
        except SkuTaken:
            return None

    with ThreadPoolExecutor(8) as writers:
        won = [winner for winner in writers.map(claim, range(16)) if winner]

    (winner,) = won
    assert store.id_of_sku("CHAIR") == winner.id
    assert len(everything(table)) == 4


def test_a_former_address_leads_to_the_product_and_stays_its_own(store: CatalogueStore) -> None:
    first = store.save(product("stool"), now=NOON)
    renamed = store.save(replace(first, slug="bar-stool"), now=NOON)

    assert store.id_of_slug("stool") == store.id_of_slug("bar-stool") == first.id
    with pytest.raises(SlugTaken, match="'stool'"):
        store.save(product("stool", variants=(variant("OTHER"),)), now=NOON)
    back = store.save(replace(renamed, slug="stool"), now=NOON)
    assert back.slug == "stool"


def test_a_sku_that_a_product_gives_up_is_free(store: CatalogueStore) -> None:
    first = store.save(product(**finishes("chair", {"Oak": "90", "Ash": "90"})), now=NOON)
    store.save(replace(first, variants=first.variants[:1]), now=NOON)

    other = store.save(product("other", variants=(variant("CHAIR-ASH"),)), now=NOON)

    assert store.id_of_sku("CHAIR-ASH") == other.id
    assert store.id_of_sku("CHAIR-OAK") == first.id


def test_the_largest_product_can_rename_its_address_and_every_sku_at_once(
    store: CatalogueStore,
) -> None:
    sizes = tuple(str(number) for number in range(MAX_VARIANTS))
    largest = product(
        "old",
        options=(Option("Size", sizes),),
        variants=tuple(variant(f"OLD-{size}", choices=(size,)) for size in sizes),
    )
    saved = store.save(largest, now=NOON)

    renamed = store.save(
        replace(
            saved,
            slug="new",
            variants=tuple(variant(f"NEW-{size}", choices=(size,)) for size in sizes),
        ),
        now=NOON,
    )

    assert store.get(saved.id) == renamed
    assert store.id_of_sku("OLD-0") is None
    assert store.id_of_sku(f"NEW-{MAX_VARIANTS - 1}") == saved.id


def test_a_repeated_write_whose_first_answer_was_lost_is_one_write(
    store: CatalogueStore, table: DynamoTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK repeats a request whose answer never came, and meets its own write."""
    once = table.write_all_or_nothing

    def twice(*request: Any) -> None:
        once(*request)
        once(*request)

    saved = store.save(product(), now=NOON)
    monkeypatch.setattr(table, "write_all_or_nothing", twice)
    again = store.save(replace(saved, title="New"), now=NOON)

    assert store.get(saved.id) == again


def test_drafts_and_archived_products_are_in_no_listing(store: CatalogueStore) -> None:
    draft = store.save(product("draft", state=PublicationState.DRAFT), now=NOON)
    gone = store.save(product("gone", category="chairs"), now=NOON)
    store.save(gone.archived(NOON), now=NOON)

    assert store.listed("newest", category=None, limit=10) == []
    assert store.listed("price", category="chairs", limit=10) == []
    assert store.get(draft.id) == draft


def test_a_product_that_changes_its_category_changes_its_listing(store: CatalogueStore) -> None:
    chair = store.save(product(category="chairs"), now=NOON)
    lamp = store.save(replace(chair, category="lamps"), now=NOON)

    assert store.listed("newest", category="chairs", limit=10) == []
    assert store.listed("newest", category="lamps", limit=10) == [ListedProduct.of(lamp)]
    store.save(replace(lamp, category=""), now=NOON)
    assert store.listed("newest", category="lamps", limit=10) == []


@ONE_SHOP
@given(
    ages_and_prices=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 10**9)), min_size=1, max_size=12
    ),
    limit=st.integers(1, 5),
)
def test_every_order_shows_each_product_once_in_order(
    store: CatalogueStore, ages_and_prices: list[tuple[int, int]], limit: int
) -> None:
    shelf = product().id.lower().replace("_", "0").replace("-", "0")
    for number, (age, cents) in enumerate(ages_and_prices):
        store.save(
            product(
                f"{shelf}-{number}",
                f"{cents // 100}.{cents % 100:02}",
                category=shelf,
                created_at=NOON - timedelta(days=age),
            ),
            now=NOON,
        )

    newest = list(stretches(store, "newest", shelf, limit))
    cheapest = list(stretches(store, "price", shelf, limit))

    ages = [age for age, _ in ages_and_prices]
    prices = [cents for _, cents in ages_and_prices]
    assert [(NOON - listed.listed_at).days for listed in newest] == sorted(ages)
    assert [listed.lowest_price.minor for listed in cheapest] == sorted(prices)
    assert list(stretches(store, "price-desc", shelf, limit)) == cheapest[::-1]
    assert {listed.id for listed in newest} == {listed.id for listed in cheapest}


def stretches(
    store: CatalogueStore, order: Order, category: str | None, limit: int
) -> Iterator[ListedProduct]:
    after = None
    while found := store.listed(order, category=category, limit=limit, after=after):
        yield from found
        after = place_of(found[-1], order)


@pytest.mark.parametrize("order", ["newest", "price", "price-desc"])
def test_who_pages_while_products_come_and_go_meets_the_rest_once(
    store: CatalogueStore, order: Order
) -> None:
    there = [
        store.save(
            product(f"there-{n}", str(10 + n), created_at=NOON - timedelta(hours=n)), now=NOON
        )
        for n in range(12)
    ]
    met = []
    for number, listed in enumerate(stretches(store, order, None, 3)):
        met.append(listed.slug)
        # At every step one product more, newer than all or between others in price, …
        store.save(
            product(f"new-{number}", str(5 + 2 * number), created_at=NOON + timedelta(hours=1)),
            now=NOON,
        )
        # … and the one where the last stretch ended leaves.
        if number == 2:
            last = store.get(listed.id)
            assert last is not None
            store.save(last.archived(NOON), now=NOON)
        if number > 40:
            break

    assert [slug for slug in met if slug.startswith("there")] == [
        each.slug for each in (there if order != "price-desc" else there[::-1])
    ]
    assert len(set(met)) == len(met)


def test_changes_name_what_was_written_since(store: CatalogueStore) -> None:
    old = store.save(product("old"), now=NOON)
    new = store.save(product("new", state=PublicationState.DRAFT), now=NOON + timedelta(hours=1))

    def names(since: str) -> list[tuple[str, str]]:
        return [(change.product_id, change.revision) for change in store.changes(since)]

    assert store.last_change() == "2026-05-04T13:00:00.000000Z"
    assert names(BEGINNING) == [(old.id, old.revision), (new.id, new.revision)]
    assert names("2026-05-04T12:00:00.000001Z") == [(new.id, new.revision)]
    again = store.save(replace(old, title="Again"), now=NOON + timedelta(hours=2))
    assert names("2026-05-04T13:00:00.000000Z") == [
        (new.id, new.revision),
        (old.id, again.revision),
    ]


def test_an_empty_table_has_no_last_change(store: CatalogueStore) -> None:
    assert store.last_change() == BEGINNING
    assert list(store.changes(BEGINNING)) == []


def test_categories_stand_by_position_then_by_title(store: CatalogueStore) -> None:
    lamps = Category("lamps", "Lamps", 1, "Light.")
    for category in (Category("b", "Z", 2), Category("a", "Y", 2), lamps):
        store.save_category(category)
    store.save_category(Category("b", "X", 2))

    assert store.categories() == (lamps, Category("b", "X", 2), Category("a", "Y", 2))


def test_owners_name_who_holds_an_address_or_a_sku(store: CatalogueStore) -> None:
    saved = store.save(product("42", variants=(variant("42"),)), now=NOON)

    assert store.owners({"42", "43"}, {"42", "44"}) == {"SLUG#42": saved.id, "SKU#42": saved.id}
