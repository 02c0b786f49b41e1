"""Search: what is found for which words, in which order, and how it can be narrowed."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.builders import NOON, finishes, product, variant
from tests.catalogue.conftest import catalogue_of_its_own
from vitrina.catalogue import search, service
from vitrina.catalogue.model import Category, Count, Option, Product, PublicationState, Results
from vitrina.catalogue.search import Search
from vitrina.catalogue.service import Catalogue
from vitrina.catalogue.store import CatalogueStore, Change
from vitrina.kernel.money import Money
from vitrina.platform.dynamo import DynamoTable
from vitrina.platform.embedded.supervisor import Embedded


def shop(catalogue: Catalogue, *products: Product) -> Catalogue:
    for each in products:
        service.save_product(catalogue, each, now=NOON)
    return catalogue


def slugs(results: Results) -> list[str]:
    return [listed.slug for listed in results.items]


def find(catalogue: Catalogue, query: str) -> list[str]:
    return slugs(service.search_products(catalogue, query))


@pytest.fixture(scope="module")
def two_things(platform: Embedded) -> Iterator[Catalogue]:
    with catalogue_of_its_own(platform) as catalogue:
        yield shop(
            catalogue,
            product(
                **finishes("sofa", {"Walnut": "900"}),
                title="Canapé Sofá Übergröße",
                description="Upholstered in velvet.",
                created_at=NOON - timedelta(days=1),
            ),
            product("box", title="Box", summary="A berry box for smørrebrød."),
        )


@pytest.fixture(scope="module")
def chairs(platform: Embedded) -> Iterator[Catalogue]:
    with catalogue_of_its_own(platform) as catalogue:
        yield shop(
            catalogue,
            product("chair", title="Chair", description="Upholstered.", tags=("walnut",)),
            product("chain", title="Chains"),
        )


@pytest.fixture(scope="module")
def furniture(platform: Embedded) -> Iterator[Catalogue]:
    with catalogue_of_its_own(platform) as catalogue:
        yield furnished(catalogue)


def test_the_exact_title_comes_first_also_where_another_text_says_it_oftener(
    catalogue: Catalogue,
) -> None:
    shop(
        catalogue,
        product("exact", title="Oak table", description="Something else entirely. " * 40),
        product("often", title="Oak table, oak table", tags=("oak", "table"), summary="Oak table."),
        *(product(f"other-{number}", title=f"Thing {number}") for number in range(6)),
    )

    assert find(catalogue, "oak TABLE") == ["exact", "often"]


def test_title_counts_more_than_tags_than_summary_than_description(catalogue: Catalogue) -> None:
    rest = " and many other words that make all texts equally long"
    shop(
        catalogue,
        product("in-description", title="One", description="walnut" + rest),
        product("in-summary", title="Two", summary="walnut" + rest),
        product("in-tags", title="Three", tags=("walnut",)),
        product("in-title", title="Walnut four"),
        *(product(f"other-{n}", title=f"Thing {n}", description=rest) for n in range(6)),
    )

    assert find(catalogue, "walnut") == ["in-title", "in-tags", "in-summary", "in-description"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("uphol", ["sofa"]),  # a beginning
        ("SOFÁ", ["sofa"]),  # case and accent
        ("canape", ["sofa"]),
        ("canapé", ["sofa"]),
        ("groesse", []),  # no German spelling rules
        ("ubergrosse", ["sofa"]),
        ("Übergröße", ["sofa"]),
        ("sofas", ["sofa"]),  # English plural
        ("boxes", ["box"]),
        ("berries", ["box"]),
        ("walnut", ["sofa"]),  # an option's value
        ("sofa velvet", ["sofa"]),  # words from different texts
        ("smorrebrod", ["box"]),
        ("oof", []),  # not a beginning
        ("!!! ??", []),
        ("", ["box", "sofa"]),
        ("   ", ["box", "sofa"]),
    ],
)
def test_what_is_found_for_which_words(catalogue: Catalogue, query: str, found: list[str]) -> None:
    shop(
        catalogue,
        product(
            **finishes("sofa", {"Walnut": "900"}),
            title="Canapé Sofá Übergröße",
            description="Upholstered in velvet.",
            created_at=NOON - timedelta(days=1),
        ),
        product("box", title="Box", summary="A berry box for smørrebrød."),
    )

    results = service.search_products(catalogue, query)

    assert (sorted(slugs(results)), results.total) == (found, len(found))
    assert results.corrected is None


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("chiar", "chair"),  # swapped
        ("chairr", "chair"),  # one too many
        ("chir", "chair"),  # one too few
        ("chaor", "chair"),  # a neighbouring key
        ("upholstrd chair", "upholstered chair"),  # two, in a long word
        ("Wallnut", "walnut"),
    ],
)
def test_typos_are_forgiven_and_said(chairs: Catalogue, query: str, corrected: str) -> None:
    results = service.search_products(chairs, query)

    assert results.corrected == corrected
    assert slugs(results)[0] == "chair"


@pytest.mark.parametrize("query", ["chu", "xyzxyz", "chuxx"])
def test_what_resembles_nothing_finds_nothing(chairs: Catalogue, query: str) -> None:
    results = service.search_products(chairs, query)

    assert (results.items, results.total, results.corrected) == ((), 0, None)
    assert results.facets.lowest_price is None


def test_of_equally_near_words_the_more_frequent_is_meant(catalogue: Catalogue) -> None:
    shop(
        catalogue,
        product("bowl", title="Bowl"),
        *(product(f"bolt-{number}", title="Bolt") for number in range(3)),
    )

    assert service.search_products(catalogue, "boll").corrected == "bolt"


def test_a_word_that_has_left_the_shop_corrects_nothing(catalogue: Catalogue) -> None:
    shop(catalogue, product("bowl", title="Bowl"))
    service.search_products(catalogue, "bowl")
    service.archive(catalogue, "bowl", now=NOON)

    results = service.search_products(catalogue, "bowk")

    assert (results.total, results.corrected) == (0, None)


def test_without_a_product_with_all_words_those_with_some_are_shown(catalogue: Catalogue) -> None:
    shop(catalogue, product("chair", title="Oak chair"), product("lamp", title="Brass lamp"))

    results = service.search_products(catalogue, "brass chair")

    assert results.relaxed
    assert sorted(slugs(results)) == ["chair", "lamp"]
    assert not service.search_products(catalogue, "oak chair").relaxed


@pytest.mark.parametrize(
    "query",
    [
        '"',
        'chair"',
        "chair AND",
        "NOT chair",
        "title:chair",
        "chair*",
        "chair OR NEAR(chair, 2)",
        "{title} : chair",
        "^chair",
        "-chair +chair",
        "'; DROP TABLE words; --",
        "\x00chair",
        "\ud800",
        "chair " * 500,
        "(" * 300,
    ],
)
def test_no_query_reaches_the_search_language(chairs: Catalogue, query: str) -> None:
    service.search_products(chairs, query)

    assert find(chairs, "chair") == ["chair"]


@settings(max_examples=200, deadline=None)
@given(query=st.text(max_size=60))
def test_any_text_is_a_query(searched: Search, query: str) -> None:
    results = searched.find(query, search.Filters(), order="relevance", limit=5, offset=0)

    assert len(results.items) == min(5, results.total)


@pytest.fixture(scope="module")
def searched(chairs: Catalogue) -> Search:
    """A search that asks the table once."""
    index = Search(chairs.store, max_age_s=3600)
    index.warm()
    return index


def furnished(catalogue: Catalogue) -> Catalogue:
    service.save_category(catalogue, Category("lamps", "Lamps"))
    return shop(
        catalogue,
        product(
            **finishes("oak-chair", {"Oak": "100", "Black": "120"}),
            category="chairs",
            tags=("dining", "wood"),
        ),
        product(
            **finishes("ash-chair", {"Ash": "80", "Black": "90"}),
            category="chairs",
            tags=("wood",),
            created_at=NOON + timedelta(hours=1),
        ),
        product(
            **finishes("lamp", {"Brass": "200", "Black": "300"}),
            category="lamps",
            tags=("light",),
            created_at=NOON + timedelta(hours=2),
        ),
        product("nail", "1", tags=("wood",), created_at=NOON - timedelta(hours=1)),
    )


def counts(facet: Sequence[Count]) -> dict[str, int]:
    return {count.value: count.count for count in facet}


def test_facets_count_what_there_is(furniture: Catalogue) -> None:
    facets = service.search_products(furniture, "").facets

    assert facets.categories == (Count("chairs", 2), Count("lamps", 1))
    assert facets.tags == (Count("wood", 3), Count("dining", 1), Count("light", 1))
    assert facets.options == (
        ("Finish", (Count("Black", 3), Count("Ash", 1), Count("Brass", 1), Count("Oak", 1))),
    )
    assert (str(facets.lowest_price), str(facets.highest_price)) == ("€1", "€300")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"category": "chairs"}, ["ash-chair", "oak-chair"]),
        ({"category": "sofas"}, []),
        ({"tags": ["wood"]}, ["ash-chair", "oak-chair", "nail"]),
        ({"tags": ["wood", "dining"]}, ["oak-chair"]),
        ({"tags": ["nothing"]}, []),
        ({"options": [("Finish", "Black")]}, ["lamp", "ash-chair", "oak-chair"]),
        ({"options": [("Finish", "Black"), ("Finish", "Brass")]}, ["lamp"]),
        ({"options": [("Colour", "Black")]}, []),
        ({"price_min": Money(10000, "EUR")}, ["lamp", "oak-chair"]),
        ({"price_max": Money(9000, "EUR")}, ["ash-chair", "nail"]),
        # Nothing is sold between 120 and 200, though the lamp and the chair lie on both sides.
        ({"price_min": Money(12001, "EUR"), "price_max": Money(19999, "EUR")}, []),
        ({"category": "chairs", "tags": ["dining"], "price_max": Money(9000, "EUR")}, []),
    ],
)
def test_filters_narrow_the_results(
    furniture: Catalogue, filters: dict[str, object], found: list[str]
) -> None:
    results = service.search_products(furniture, "", **filters)  # type: ignore[arg-type]

    assert (slugs(results), results.total) == (found, len(found))


def test_each_facet_ignores_its_own_filter_so_that_one_can_choose_another(
    furniture: Catalogue,
) -> None:
    results = service.search_products(
        furniture, "", category="chairs", price_max=Money(9000, "EUR")
    )

    assert slugs(results) == ["ash-chair"]
    assert counts(results.facets.categories) == {"chairs": 1}
    assert counts(results.facets.tags) == {"wood": 1}
    assert (str(results.facets.lowest_price), str(results.facets.highest_price)) == ("€80", "€120")


def test_facet_counts_add_up(furniture: Catalogue) -> None:
    everything = service.search_products(furniture, "", tags=["wood"])

    # Choosing a facet's value leaves exactly as many results as it said.
    for count in everything.facets.categories:
        chosen = service.search_products(furniture, "", tags=["wood"], category=count.value)
        assert chosen.total == count.count
        assert chosen.facets.categories == everything.facets.categories
    for count in everything.facets.tags:
        chosen = service.search_products(furniture, "", tags=["wood", count.value])
        assert chosen.total == count.count
    for name, values in everything.facets.options:
        for count in values:
            chosen = service.search_products(
                furniture, "", tags=["wood"], options=[(name, count.value)]
            )
            assert chosen.total == count.count
    # All but the nail stand in a category.
    assert sum(counts(everything.facets.categories).values()) == everything.total - 1


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("relevance", ["lamp", "ash-chair", "oak-chair", "nail"]),  # no words: the newest first
        ("newest", ["lamp", "ash-chair", "oak-chair", "nail"]),
        ("price", ["nail", "ash-chair", "oak-chair", "lamp"]),
        ("price-desc", ["lamp", "oak-chair", "ash-chair", "nail"]),
    ],
)
def test_results_come_in_the_order_asked_for(
    furniture: Catalogue, order: search.SearchOrder, found: list[str]
) -> None:
    assert slugs(service.search_products(furniture, "", order=order)) == found


def test_results_go_on_by_cursor_to_their_end(furniture: Catalogue) -> None:
    seen, cursor = [], None
    for _ in range(3):
        results = service.search_products(furniture, "wood", tags=["wood"], limit=1, cursor=cursor)
        seen += slugs(results)
        assert results.total == 3
        cursor = results.next_cursor

    assert cursor is None
    assert sorted(seen) == ["ash-chair", "nail", "oak-chair"]


def test_a_cursor_beyond_what_is_left_gives_an_empty_end(catalogue: Catalogue) -> None:
    furnished(catalogue)
    cursor = service.search_products(catalogue, "", limit=3).next_cursor
    for slug in ("nail", "lamp"):
        service.archive(catalogue, slug, now=NOON)

    results = service.search_products(catalogue, "", limit=3, cursor=cursor)

    assert (results.items, results.total, results.next_cursor) == ((), 2, None)


def test_only_option_values_that_are_sold_are_facets(catalogue: Catalogue) -> None:
    shop(
        catalogue,
        product(
            "chair",
            options=(Option("Finish", ("Oak", "Planned")),),
            variants=(variant("CHAIR-OAK", choices=("Oak",)),),
        ),
    )

    assert service.search_products(catalogue, "").facets.options == (
        ("Finish", (Count("Oak", 1),)),
    )
    assert find(catalogue, "planned") == []


# ── keeping up with the table ────────────────────────────────────────────────────────────────


class Clock:
    """Seconds that pass only when told to."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_another_process_finds_changes_when_its_index_is_due(
    catalogue: Catalogue, table: DynamoTable, db: Engine
) -> None:
    clock = Clock()
    other = Catalogue.over(table, db, currency="EUR", max_age_s=5, clock=clock)
    chair = service.save_product(catalogue, product("chair", title="Chair"), now=NOON)
    lamp = service.save_product(catalogue, product("lamp", title="Lamp"), now=NOON)
    assert find(other, "chair") == ["chair"]

    service.save_product(catalogue, replace(chair, title="Stool"), now=NOON)
    service.archive(catalogue, lamp.slug, now=NOON)
    shop(catalogue, product("vase", title="Vase"))
    clock.now_s += 4.9
    assert find(other, "chair") == ["chair"]
    clock.now_s += 0.1

    assert find(other, "stool") == ["chair"]
    assert [find(other, word) for word in ("lamp", "vase")] == [[], ["vase"]]
    assert service.search_products(other, "").total == 2


def test_a_change_that_turns_up_late_is_found_and_old_ones_are_not_read_for_ever(
    catalogue: Catalogue, table: DynamoTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    store = CatalogueStore(table)
    asked: list[str] = []
    changes = store.changes

    def noting(since: str) -> Iterator[Change]:
        asked.append(since)
        return changes(since)

    monkeypatch.setattr(store, "changes", noting)
    index = Search(store, max_age_s=0, clock=clock)
    shop(catalogue, product("first", title="Chair"))
    index.warm()
    # A writer whose clock is 50 seconds behind.
    late = product("late", title="Chair")
    service.save_product(catalogue, late, now=NOON - timedelta(seconds=50))

    assert index.find("chair", search.Filters(), order="newest", limit=9, offset=0).total == 2
    clock.now_s += 61
    index.warm()

    assert asked == ["2026-05-04T11:59:00.000000Z", "2026-05-04T12:00:00.000000Z"]


def test_an_index_kept_up_to_date_answers_like_one_built_anew(
    catalogue: Catalogue, table: DynamoTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    store = CatalogueStore(table)
    kept = Search(store, max_age_s=0, clock=clock)
    furnished(catalogue)
    kept.warm()
    for slug in ("nail", "lamp"):
        service.archive(catalogue, slug, now=NOON)
    service.publish(catalogue, "lamp", now=NOON)
    service.save_product(
        catalogue, replace(service.find_product(catalogue, "oak-chair"), title="Elm"), now=NOON
    )
    shop(catalogue, product("draft", state=PublicationState.DRAFT))

    def ask(index: Search) -> list[Results]:
        return [
            index.find(query, search.Filters(), order="relevance", limit=9, offset=0)
            for query in ("", "chair", "elm", "black", "nail", "brazz")
        ]

    answers = ask(kept)

    assert answers == ask(Search(store, max_age_s=0, clock=clock))
    assert kept.shelves()["chairs"].count == 2
    monkeypatch.setattr(search, "_REBUILD_FROM", 1)
    shop(catalogue, product("chair-3", title="Chair"))
    rebuilt = Search(store, max_age_s=0)
    assert ask(kept) == ask(rebuilt)
    assert ask(kept)[0].total == 4


def test_searching_while_the_shop_changes_never_shows_half_a_change(
    catalogue: Catalogue, table: DynamoTable
) -> None:
    """Each round renames all products; a search sees them under one name, or, while the table
    itself is half written, the rest under the next one: but every product once."""
    chairs = [
        service.save_product(catalogue, product(f"chair-{n}", title="Round 0"), now=NOON)
        for n in range(8)
    ]
    index = Search(CatalogueStore(table), max_age_s=0)
    index.warm()
    wrong: list[int] = []
    over = False

    def look() -> None:
        while not over:
            results = index.find("round", search.Filters(), order="price", limit=99, offset=0)
            if not (results.total == len(results.items) == len({r.id for r in results.items}) == 8):
                wrong.append(results.total)

    with ThreadPoolExecutor(4) as shoppers:
        looking = [shoppers.submit(look) for _ in range(4)]
        for number in range(1, 6):
            chairs = [
                service.save_product(catalogue, replace(chair, title=f"Round {number}"), now=NOON)
                for chair in chairs
            ]
        over = True
        for each in looking:
            each.result(30)

    assert wrong == []
    assert index.find("5", search.Filters(), order="price", limit=99, offset=0).total == 8
