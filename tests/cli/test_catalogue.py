"""`vitrina catalogue` and `vitrina product`, as typed, on the stores of one test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from typer.testing import CliRunner, Result

from tests.builders import NOON, finishes, product, variant
from tests.models3d.builders import plain_quad, textured_quad
from vitrina.catalogue import service
from vitrina.catalogue.errors import UnknownProduct
from vitrina.catalogue.model import Dimensions, PublicationState
from vitrina.cli.main import app
from vitrina.entrypoints.wiring import Services, build
from vitrina.models3d.pictures import ChromiumMissing, find_chromium
from vitrina.settings import Settings

Vitrina = Callable[..., Result]


@pytest.fixture
def shop(settings: Settings) -> Services:
    return build(settings.model_copy(update={"catalogue_max_age_s": 0.0}))


@pytest.fixture
def vitrina(settings: Settings) -> Vitrina:
    """Runs a command on the test's own stores."""
    environment = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "VITRINA_PREFIX": settings.prefix,
        "VITRINA_PUBLIC_URL": "http://127.0.0.1:8123",
        "VITRINA_CHROMIUM": "/nowhere/chromium",
    }

    def run(*words: object, stdin: bytes | None = None, **more: str) -> Result:
        line = [*map(str, words), "--no-embedded"]
        return CliRunner().invoke(app, line, input=stdin, env={**environment, **more})

    return run


@pytest.fixture
def glb(tmp_path: Path) -> Path:
    """A model of 2 m by 1 m in oak and in walnut."""
    file = tmp_path / "board.glb"
    file.write_bytes(textured_quad().glb())
    return file


def everything(shop: Services) -> list[Any]:
    return [
        sorted(shop.catalogue.store._table.scan(), key=str),
        list(shop.assets.keys()),
    ]


# ── vitrina catalogue ────────────────────────────────────────────────────────────────────────


def test_an_export_imported_into_the_same_shop_changes_nothing(
    shop: Services, vitrina: Vitrina, tmp_path: Path
) -> None:
    service.save_product(shop.catalogue, product(**finishes("chair", {"Oak": "9"})), now=NOON)
    file = tmp_path / "catalogue.jsonl"

    exported = vitrina("catalogue", "export", file, "--json")
    assert json.loads(exported.stdout) == {"file": str(file), "lines": 1}
    before = everything(shop)
    imported = vitrina("catalogue", "import", file, "--json")

    assert json.loads(imported.stdout) == {
        "imported": True,
        "lines": 1,
        "created": 0,
        "updated": 0,
        "unchanged": 1,
        "categories": 0,
        "stock_levels": 0,
    }
    assert everything(shop) == before
    assert list(tmp_path.iterdir()) == [file]


def test_export_and_import_go_through_pipes(shop: Services, vitrina: Vitrina) -> None:
    service.save_product(shop.catalogue, product("chair", title="Stuhl für zwei ☃"), now=NOON)
    service.set_stock(shop.catalogue, {"CHAIR": 4})

    exported = vitrina("catalogue", "export", "-", "--with-stock")
    (line,) = exported.stdout.splitlines()
    assert json.loads(line)["title"] == "Stuhl für zwei ☃"
    assert json.loads(line)["variants"][0]["stock"] == 4
    assert exported.stderr == "1 lines written to -\n"

    changed = line.replace("☃", "⛄").encode()
    imported = vitrina("catalogue", "import", "-", stdin=changed)
    assert imported.stdout == (
        "1 lines: 0 products created, 1 updated, 0 unchanged; "
        "0 categories and 1 stock levels written\n"
    )
    assert service.find_product(shop.catalogue, "chair").title == "Stuhl für zwei ⛄"


def test_a_file_with_mistakes_is_refused_line_by_line(
    shop: Services, vitrina: Vitrina, tmp_path: Path
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"type": "category", "slug": "chairs", "title": "Chairs"}\n{"type": 1}\n{\n')
    before = everything(shop)

    spoken = vitrina("catalogue", "import", file)
    listed = vitrina("catalogue", "import", file, "--json")

    assert (spoken.exit_code, spoken.stdout) == (1, "")
    assert "line 2: Input tag '1'" in spoken.stderr
    assert "line 3: Invalid JSON" in spoken.stderr
    assert listed.exit_code == 1
    report = json.loads(listed.stdout)
    assert [problem["line"] for problem in report["problems"]] == [2, 3]
    assert everything(shop) == before


def test_a_dry_run_says_what_would_happen(shop: Services, vitrina: Vitrina, tmp_path: Path) -> None:
    file = tmp_path / "new.jsonl"
    file.write_text('{"type": "category", "slug": "chairs", "title": "Chairs"}\n')
    before = everything(shop)

    told = vitrina("catalogue", "import", file, "--dry-run")

    assert "1 categories and 0 stock levels would be written" in told.stdout
    assert everything(shop) == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("import", "/nowhere/file.jsonl"), "/nowhere/file.jsonl: No such file or directory"),
        (("export", "/nowhere/file.jsonl"), "/nowhere: No such file or directory"),
        (("export", "-", "--json"), "with --json give a file"),
    ],
)
def test_a_file_that_cannot_be_opened_is_wrong_usage(
    vitrina: Vitrina, words: tuple[str, ...], complaint: str
) -> None:
    refused = vitrina("catalogue", *words, COLUMNS="200")

    assert refused.exit_code == 2
    assert complaint in refused.stderr


# ── vitrina product ──────────────────────────────────────────────────────────────────────────


def test_a_product_is_added_from_a_model_with_a_finish_for_each_look(
    shop: Services, vitrina: Vitrina, glb: Path
) -> None:
    added = vitrina(
        "product", "add", "--model", glb, "--title", "Süße Tafel", "--price", "129.50",
        "--category", "Wall art", "--summary", "For the wall.", "--tag", "wood",
        "--option", "Size=S, L", "--stock", 3,
    )  # fmt: skip

    assert added.exit_code == 0, added.output
    assert "http://127.0.0.1:8123/p/susse-tafel" in added.stdout
    board = service.get_product(shop.catalogue, "susse-tafel")
    assert [(v.sku, v.choices, v.material_variant, str(v.price)) for v in board.variants] == [
        ("SUSSE-TAFEL-S-OAK", ("S", "Oak"), "oak", "€129.50"),
        ("SUSSE-TAFEL-S-WALNUT", ("S", "Walnut"), "walnut", "€129.50"),
        ("SUSSE-TAFEL-L-OAK", ("L", "Oak"), "oak", "€129.50"),
        ("SUSSE-TAFEL-L-WALNUT", ("L", "Walnut"), "walnut", "€129.50"),
    ]
    assert board.dimensions == Dimensions(2.0, 1.0, 0.001)
    assert (board.summary, board.tags, board.category) == ("For the wall.", ("wood",), "wall-art")
    assert service.get_category(shop.catalogue, "wall-art").title == "Wall art"
    levels = service.availability(shop.catalogue, board.stock_keys)
    assert {str(level) for level in levels.values()} == {"few_left"}
    assert board.model is not None
    stored = shop.assets.get(board.model.levels[0].key)
    assert brotli.decompress(stored.data).startswith(b"glTF")


def test_without_chromium_a_product_gets_a_neutral_picture_and_a_note_how_to_get_the_real_one(
    shop: Services, vitrina: Vitrina, glb: Path
) -> None:
    added = vitrina("product", "add", "--model", glb, "--title", "Board", "--price", "9", "--json")

    report = json.loads(added.stdout)
    (note,) = report["notes"]
    assert "VITRINA_CHROMIUM names /nowhere/chromium, which is no file" in note
    assert "`vitrina product poster board`" in note
    (poster,) = report["model"]["posters"]
    picture = shop.assets.get(poster["key"])
    assert (picture.content_type, picture.data[8:12]) == ("image/webp", b"WEBP")
    missing = vitrina("product", "poster", "board")
    assert missing.exit_code == 1
    assert "VITRINA_CHROMIUM" in missing.stderr


def test_with_chromium_a_product_gets_a_picture_of_each_finish(
    shop: Services, vitrina: Vitrina, glb: Path
) -> None:
    try:
        chromium = str(find_chromium())
    except ChromiumMissing as missing:
        pytest.skip(str(missing))
    vitrina("product", "add", "--model", glb, "--title", "Board", "--price", "9", "--no-poster")

    taken = vitrina("product", "poster", "board", VITRINA_CHROMIUM=chromium)

    assert taken.exit_code == 0, taken.output
    assert "3 pictures of Board" in taken.stdout
    board = service.get_product(shop.catalogue, "board")
    assert board.model is not None
    assert [poster.variant for poster in board.model.posters] == ["", "oak", "walnut"]
    oak, walnut = (shop.assets.get(board.poster(look).key).data for look in ("oak", "walnut"))  # type: ignore[union-attr]
    assert oak != walnut


def test_a_file_that_is_no_glb_is_refused_and_nothing_is_written(
    shop: Services, vitrina: Vitrina, tmp_path: Path
) -> None:
    fake = tmp_path / "fake.glb"
    fake.write_text("solid cube")
    before = everything(shop)

    refused = vitrina(
        "product", "add", "--model", fake, "--title", "Cube", "--price", "9", "--category", "New"
    )

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "GLB" in refused.stderr
    assert everything(shop) == before


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (("--title", "Chair"), "The address 'chair' belongs to another product"),
        (("--sku", "CHAIR"), "The SKU 'CHAIR' belongs to another product"),
        (("--price", "9.999"), "'9.999' has more than 2 decimals for EUR"),
        (("--price", "nine"), "'nine' is not an amount"),
        (("--price", "-1"), "give 0 or more"),
        (("--title", "???"), "no address can be made of '???': give a slug, such as oak-chair"),
        (("--slug", "A b"), "'A b' cannot be a product's slug"),
        (("--sku", "a"), "'a' is not a SKU"),
        (("--option", "Finish=A,B", "--option", "Finish=C"), "option names repeat: 'Finish'"),
    ],
)
def test_what_breaks_a_rule_of_the_shop_is_refused_and_nothing_is_written(
    shop: Services, vitrina: Vitrina, tmp_path: Path, changes: tuple[str, ...], complaint: str
) -> None:
    service.save_product(shop.catalogue, product("chair"), now=NOON)
    before = everything(shop)
    model = tmp_path / "quad.glb"
    model.write_bytes(plain_quad().glb())

    refused = vitrina(
        "product", "add", "--model", model, "--title", "New", "--price", "9", *changes
    )

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert complaint in refused.stderr
    assert everything(shop) == before


@pytest.mark.parametrize("option", ["Size", "Size=", "=S,M", "Size=S,S"])
def test_an_option_that_is_none_is_wrong_usage(vitrina: Vitrina, option: str) -> None:
    refused = vitrina("product", "add", "--title", "A", "--price", "9", "--option", option)

    assert refused.exit_code == 2
    assert "--option" in refused.stderr


def test_a_draft_is_published_archived_and_listed(shop: Services, vitrina: Vitrina) -> None:
    vitrina("product", "add", "--title", "Mug", "--price", "14", "--draft", "--stock", 7)
    with pytest.raises(UnknownProduct):
        service.get_product(shop.catalogue, "mug")
    drafts = vitrina("product", "list", "--state", "draft")
    assert drafts.stdout.split() == ["mug", "draft", "€14", "7", "in", "stock", "Mug"]

    published = vitrina("product", "publish", "mug")
    assert published.stdout == "Mug is published\n  http://127.0.0.1:8123/p/mug\n"
    assert service.get_product(shop.catalogue, "mug").published_at is not None
    archived = vitrina("product", "archive", "mug", "--json")
    assert json.loads(archived.stdout)["state"] == "archived"
    assert vitrina("product", "list", "--state", "draft").stdout == ""
    (listed,) = json.loads(vitrina("product", "list", "--json").stdout)
    assert (listed["slug"], listed["variants"][0]["stock"]) == ("mug", 7)
    assert service.find_product(shop.catalogue, "mug").state is PublicationState.ARCHIVED
    unknown = vitrina("product", "publish", "vase")
    assert (unknown.exit_code, unknown.stderr) == (1, "There is no product 'vase'.\n")


def test_stock_is_shown_and_set_by_sku_or_for_a_whole_product(
    shop: Services, vitrina: Vitrina
) -> None:
    chair = product(**finishes("chair", {"Oak": "9", "Ash": "9"}))
    service.save_product(shop.catalogue, chair, now=NOON)
    service.save_product(shop.catalogue, product("42", variants=(variant("7"),)), now=NOON)

    def levels(*words: object) -> Any:
        return json.loads(vitrina("product", "stock", *words, "--json").stdout)

    assert levels("CHAIR-OAK", 5) == {"CHAIR-OAK": 5}
    assert levels("chair") == {"CHAIR-OAK": 5, "CHAIR-ASH": 0}
    assert levels("chair", 2) == {"CHAIR-OAK": 2, "CHAIR-ASH": 2}
    assert levels("42", 1) == levels("7") == {"7": 1}
    assert vitrina("product", "stock", "CHAIR-OAK").stdout.split() == ["CHAIR-OAK", "2"]
    for name in ("CHAIR-ELM", "sofa", "No such"):
        refused = vitrina("product", "stock", name, 3)
        assert (refused.exit_code, refused.stdout) == (1, "")
    assert vitrina("product", "stock", "chair", -1).exit_code == 2
