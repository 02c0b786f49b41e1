"""Import and export: nothing is lost on the way, nothing is half-written."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOON, finishes, product, variant
from tests.catalogue.conftest import catalogue_of_its_own
from tests.catalogue.strategies import categories, products
from vitrina.catalogue import exchange, service, stock
from vitrina.catalogue.errors import ImportRefused, ImportStopped
from vitrina.catalogue.exchange import ImportReport, export_lines, import_lines
from vitrina.catalogue.model import Category, Dimensions, Option, Product, PublicationState
from vitrina.catalogue.service import Catalogue
from vitrina.models3d.model import Level, Manifest
from vitrina.platform.embedded.supervisor import Embedded

MODEL = Manifest(
    source_sha256="0" * 64,
    pipeline="1",
    tier="full",
    levels=(Level("full", "models/a.glb", 10, 9, 8),),
    posters=(),
    variants=(),
    bounds_min_m=(0.0, 0.0, 0.0),
    bounds_max_m=(1.0, 1.0, 1.0),
    animations=0,
)


def file(*lines: Any) -> BytesIO:
    """Lines of JSON; bytes stand as they are."""
    return BytesIO(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )


def line(slug: str = "chair", **changes: Any) -> dict[str, Any]:
    """The shortest product line there is."""
    price = {"amount": "90", "currency": "EUR"}
    short = {"type": "product", "slug": slug, "title": slug}
    return {**short, "variants": [{"sku": slug.upper(), "price": price}], **changes}


def everything(catalogue: Catalogue) -> list[Any]:
    return sorted(catalogue.store._table.scan(), key=str)


@pytest.fixture(scope="module")
def one(platform: Embedded) -> Iterator[Catalogue]:
    with catalogue_of_its_own(platform) as catalogue:
        yield catalogue


@pytest.fixture(scope="module")
def other(platform: Embedded) -> Iterator[Catalogue]:
    with catalogue_of_its_own(platform) as catalogue:
        yield catalogue


def emptied(catalogue: Catalogue) -> None:
    table = catalogue.store._table
    for item in list(table.scan()):
        table.delete({"pk": item["pk"], "sk": item["sk"]})
    service.save_category(catalogue, Category("chairs", "Chairs"))


@settings(max_examples=15, deadline=None)
@given(
    stocked=st.lists(products(), max_size=4, unique_by=lambda each: each.slug),
    shelves=st.lists(categories(), max_size=3, unique_by=lambda each: each.slug),
)
def test_what_is_exported_is_imported_exactly(
    one: Catalogue, other: Catalogue, stocked: list[Product], shelves: list[Category]
) -> None:
    emptied(one)
    emptied(other)
    for category in shelves:
        service.save_category(one, category)
    for each in stocked:
        one.store.save(each, now=NOON)
        service.set_stock(one, dict.fromkeys(each.stock_keys, len(each.title)))
    exported = list(export_lines(one, with_stock=True))

    import_lines(other, BytesIO("\n".join(exported).encode()), now=NOON)

    assert sorted(export_lines(other, with_stock=True)) == sorted(exported)
    assert other.store.categories() == one.store.categories()
    plain = {each.id: replace(each, revision="") for each in other.store.products()}
    assert plain == {each.id: each for each in stocked}
    keys = [key for each in stocked for key in each.stock_keys]
    assert stock.levels(other.db, keys) == stock.levels(one.db, keys)


def test_the_example_of_the_documentation_is_a_catalogue(catalogue: Catalogue, root: Path) -> None:
    page = (root / "docs" / "catalogue-format.md").read_text()
    example = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]

    report = import_lines(catalogue, file(*example), now=NOON)

    assert report == ImportReport(
        2, created=1, updated=0, unchanged=0, categories=1, stock_levels=2
    )
    chair = service.get_product(catalogue, "oak-chair")
    assert [str(each.price) for each in chair.variants] == ["€129.50", "€149"]
    assert chair.variants[1].choices == ("Walnut",)
    assert chair.variants[1].material_variant == "walnut"
    assert chair.dimensions == Dimensions(0.48, 0.81, 0.52)
    assert service.get_category(catalogue, "chairs").blurb == "To sit down, and to stay."
    levels = stock.levels(catalogue.db, chair.stock_keys)
    assert levels == {"OAK-CHAIR-OAK": 12, "OAK-CHAIR-WALNUT": 3}


def test_every_field_of_the_format_is_documented(root: Path) -> None:
    page = (root / "docs" / "catalogue-format.md").read_text()

    for kind in (exchange.CategoryLine, exchange.ProductLine, exchange.VariantLine):
        for name in kind.model_fields:
            assert f"`{name}`" in page, name


def test_importing_a_file_twice_writes_it_once(catalogue: Catalogue) -> None:
    lines = file(line("chair"), line("lamp", state="published"))
    import_lines(catalogue, lines, now=NOON)
    before = everything(catalogue)

    report = import_lines(catalogue, lines, now=NOON)

    assert report == ImportReport(2, 0, 0, unchanged=2, categories=0, stock_levels=0)
    assert everything(catalogue) == before


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(catalogue: Catalogue) -> None:
    service.save_product(catalogue, product("lamp", state=PublicationState.DRAFT), now=NOON)
    before = everything(catalogue)
    priced = line("new")
    priced["variants"][0]["stock"] = 3
    shelf = {"type": "category", "slug": "x", "title": "X"}

    report = import_lines(
        catalogue, file(shelf, priced, line("lamp", category="x")), now=NOON, dry_run=True
    )

    assert report == ImportReport(3, 1, 1, 0, categories=1, stock_levels=1)
    assert everything(catalogue) == before
    assert stock.levels(catalogue.db, ["NEW"]) == {"NEW": 0}


def test_a_line_changes_the_product_of_its_slug_and_keeps_what_it_cannot_say(
    catalogue: Catalogue,
) -> None:
    there = service.save_product(
        catalogue, product("chair", "70", model=MODEL, summary="Old."), now=NOON
    )
    later = NOON.replace(year=2027)

    import_lines(catalogue, file(line("chair", state="published")), now=later)

    chair = service.get_product(catalogue, "chair")
    assert chair == replace(
        there,
        title="chair",
        summary="",
        variants=(variant("CHAIR", "90"),),
        published_at=later,
        updated_at=later,
        revision=chair.revision,
    )
    import_lines(catalogue, file(line("chair", model=None)), now=later)
    assert service.find_product(catalogue, "chair").model is None


def test_a_known_id_with_another_slug_moves_the_product(catalogue: Catalogue) -> None:
    there = service.save_product(catalogue, product("chair"), now=NOON)
    moved = line("armchair", id=there.id, state="published")

    import_lines(catalogue, file(moved), now=NOON)

    assert service.get_product(catalogue, "chair").slug == "armchair"
    assert service.get_product(catalogue, "armchair").id == there.id


def test_an_unknown_id_is_the_id_of_a_new_product_and_yields_to_a_known_slug(
    catalogue: Catalogue,
) -> None:
    there = service.save_product(catalogue, product("chair"), now=NOON)

    import_lines(catalogue, file(line("chair", id="else"), line("lamp", id="lamp-1")), now=NOON)

    assert service.find_product(catalogue, "chair").id == there.id
    assert service.find_product(catalogue, "lamp").id == "lamp-1"


def test_a_category_may_follow_the_products_that_stand_in_it(catalogue: Catalogue) -> None:
    shelf = {"type": "category", "slug": "sofas", "title": "Sofas"}

    import_lines(catalogue, file(line(category="sofas"), shelf), now=NOON)

    assert service.find_product(catalogue, "chair").category == "sofas"


def test_blank_lines_windows_line_ends_and_a_byte_order_mark_do_no_harm(
    catalogue: Catalogue,
) -> None:
    raw = json.dumps(line("chair")).encode()

    report = import_lines(catalogue, BytesIO(b"\xef\xbb\xbf" + raw + b"\r\n\r\n  \n"), now=NOON)

    assert (report.lines, report.created) == (1, 1)
    assert import_lines(catalogue, BytesIO(b""), now=NOON).lines == 0


@pytest.fixture(scope="module")
def stocked(platform: Embedded) -> Iterator[Catalogue]:
    with catalogue_of_its_own(platform) as catalogue:
        lamp = service.save_product(catalogue, product("lamp"), now=NOON)
        service.save_product(catalogue, replace(lamp, slug="new-lamp"), now=NOON)
        yield catalogue


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"{", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b'{"type":"product","slug":"a\xff"}', "Invalid JSON"),
        (line(slug="a", title="\ud800"), "Invalid JSON"),
        ({"slug": "a"}, "Unable to extract tag"),
        ({"type": "sofa"}, "does not match any of the expected tags"),
        (line(colour="red"), "colour: Extra inputs are not permitted"),
        ({"type": "product", "slug": "a"}, "title: Field required"),
        ({**line("a"), "slug": "A chair"}, "cannot be a product's slug"),
        (line(variants=[]), "1 to 48 variants"),
        (line(category="sofas"), "category 'sofas' is neither in the file nor the shop"),
        (line(state="sold"), "state: Input should be 'draft', 'published' or 'archived'"),
        (line(created_at="2026-01-01T00:00:00"), "created_at: Input should have timezone"),
        (line(model={"version": 1}), "manifest.tier: missing"),
        (line(id="a/b"), "'a/b' cannot be a product's id"),
        (line(dimensions={"width_m": 0, "height_m": 1, "depth_m": 1}), "width_m is 0"),
        (line("new-lamp-2", variants=line("lamp")["variants"]), "SKU 'LAMP' belongs to another"),
        (line("lamp"), "slug 'lamp' is a former address of the product 'new-lamp'"),
        (line("first", title="again"), "slug 'first' stands on line 1 already"),
        (line("b", variants=line("first")["variants"]), "SKU 'FIRST' stands on line 1 already"),
        (b'{"type":"category","slug":"x","title":"' + b"x" * 1_100_000, "longer than 1048576"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(
    stocked: Catalogue, bad: Any, complaint: str
) -> None:
    before = everything(stocked)

    with pytest.raises(ImportRefused) as refusal:
        import_lines(stocked, file(line("first"), b"", bad), now=NOON)

    (problem,) = refusal.value.problems
    assert problem.line == 3
    assert complaint in problem.message
    assert f"line 3: {problem.message}" in str(refusal.value)
    assert everything(stocked) == before


@pytest.mark.parametrize(
    ("price", "complaint"),
    [
        ({"amount": "1.234", "currency": "EUR"}, "more than 2 decimals for EUR"),
        ({"amount": "-1", "currency": "EUR"}, "give 0 or more"),
        ({"amount": "NaN", "currency": "EUR"}, "finite number"),
        ({"amount": "a", "currency": "EUR"}, "valid decimal"),
        ({"amount": "1e30", "currency": "EUR"}, "no more than 24 digits"),
        ({"amount": 5, "currency": "USD"}, "priced in USD, but this shop sells in EUR"),
        ({"amount": 5, "currency": "XXX"}, "currency 'XXX' is unknown"),
        (5, "variants.0.price: Input should be an object"),
    ],
)
def test_a_bad_price_is_refused(stocked: Catalogue, price: Any, complaint: str) -> None:
    with pytest.raises(ImportRefused, match=re.escape(complaint)):
        import_lines(stocked, file(line(variants=[{"sku": "CHAIR", "price": price}])), now=NOON)


@pytest.mark.parametrize("amount", ["129.50", "129.5", 129.5, "129.500"])
def test_a_price_may_be_text_or_a_number(catalogue: Catalogue, amount: Any) -> None:
    price = {"amount": amount, "currency": "EUR"}

    import_lines(catalogue, file(line(variants=[{"sku": "C", "price": price}])), now=NOON)

    assert str(service.find_product(catalogue, "chair").lowest_price) == "€129.50"


def test_all_bad_lines_are_named_up_to_fifty(catalogue: Catalogue) -> None:
    with pytest.raises(ImportRefused) as refusal:
        import_lines(catalogue, file(*(b"{" for _ in range(70))), now=NOON)

    assert [problem.line for problem in refusal.value.problems] == list(range(1, 51))


def test_a_line_that_cannot_be_written_after_all_is_named_and_the_rest_can_follow(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two readings somebody else takes a SKU that was free."""
    lines = file(line("a"), line("b"), line("c"))
    check = exchange._Check.run

    def then_another_is_faster(self: Any, source: BytesIO) -> ImportReport:
        report = check(self, source)
        service.save_product(catalogue, product("other", variants=(variant("B"),)), now=NOON)
        return report

    monkeypatch.setattr(exchange._Check, "run", then_another_is_faster)

    with pytest.raises(ImportStopped, match="stopped at line 2: The SKU 'B' belongs to another"):
        import_lines(catalogue, lines, now=NOON)

    monkeypatch.undo()
    report = import_lines(catalogue, file(line("a"), line("c")), now=NOON)
    assert report.unchanged == 2


def test_an_export_without_stock_leaves_the_stock_alone(catalogue: Catalogue) -> None:
    service.save_product(catalogue, product(**finishes("chair", {"Oak": "9"})), now=NOON)
    service.set_stock(catalogue, {"CHAIR-OAK": 5})
    exported = "\n".join(export_lines(catalogue)).encode()
    service.set_stock(catalogue, {"CHAIR-OAK": 4})

    import_lines(catalogue, BytesIO(exported), now=NOON)

    assert stock.levels(catalogue.db, ["CHAIR-OAK"]) == {"CHAIR-OAK": 4}


def test_a_file_longer_than_one_batch_arrives_whole(catalogue: Catalogue) -> None:
    lines = [
        line(f"chair-{number}", options=[{"name": "Size", "values": ["S"]}])
        for number in range(450)
    ]
    for number, each in enumerate(lines):
        each["variants"][0] |= {"choices": ["S"], "stock": number}

    report = import_lines(catalogue, file(*lines), now=NOON)

    assert (report.created, report.stock_levels) == (450, 450)
    kept = {each.slug: each for each in catalogue.store.products()}
    assert len(kept) == 450
    assert kept["chair-449"].options == (Option("Size", ("S",)),)
    assert stock.levels(catalogue.db, ["CHAIR-449"]) == {"CHAIR-449": 449}
    assert import_lines(catalogue, file(*lines), now=NOON).unchanged == 450
