"""The collection as it ships: what it says, what it weighs, and that the code makes it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
import pyvips
from typer.testing import CliRunner

from tests.studio.conftest import Sample
from vitrina.cli.studio import app
from vitrina.models3d import glb, pictures, scene
from vitrina.models3d import service as pipeline
from vitrina.models3d.model import Manifest, from_plain
from vitrina.studio import build
from vitrina.studio.collection import ITEMS, SHELVES, Item

LARGEST_BYTES = 8_000_000
SLUGS = [item.slug for item in ITEMS]
# Small enough to be taken through the whole pipeline in a test.
QUICK = "yoru-carafe"


def has_chromium() -> bool:
    try:
        pictures.find_chromium()
    except pictures.ChromiumMissing:
        return False
    return True


needs_chromium = pytest.mark.skipif(not has_chromium(), reason="no Chromium to photograph with")


@pytest.fixture(scope="module")
def lines() -> dict[str, dict[str, object]]:
    return build.product_lines(build.COLLECTION)


def manifest_of(lines: dict[str, dict[str, object]], slug: str) -> Manifest:
    return from_plain(lines[slug]["model"])


@pytest.fixture(params=ITEMS, ids=SLUGS)
def item(request: pytest.FixtureRequest) -> Item:
    assert isinstance(request.param, Item)
    return request.param


def test_it_has_something_for_every_room_and_no_name_twice() -> None:
    assert len(ITEMS) >= 14
    assert max(Counter(item.slug for item in ITEMS).values()) == 1
    assert max(Counter(sku.sku for item in ITEMS for sku in item.skus).values()) == 1
    assert {item.category for item in ITEMS} == {shelf.slug for shelf in SHELVES}


def test_what_is_said_of_a_product_is_worth_reading(item: Item) -> None:
    assert 20 <= len(item.summary) <= 120
    assert item.summary.endswith((".", "!"))
    assert 2 <= item.description.count("\n\n") + 1 <= 3
    assert 200 <= len(item.description) <= 900
    assert item.tags


def test_every_choice_is_sold_once_and_every_finish_modelled(
    item: Item, samples: Callable[[str], Sample]
) -> None:
    names = scene.variants(samples(item.slug).document)
    assert {sku.finish for sku in item.skus} == set(names)
    assert item.skus[0].finish == names[0]

    assert max(Counter(sku.choices for sku in item.skus).values()) == 1
    for index, (_, values) in enumerate(item.options):
        assert {sku.choices[index] for sku in item.skus} == set(values)
    for sku in item.skus:
        assert len(sku.choices) == len(item.options)
        assert sku.euros > 0
        assert sku.stock >= 0


def test_the_size_in_the_list_is_that_of_the_geometry(
    item: Item, samples: Callable[[str], Sample], lines: dict[str, dict[str, object]]
) -> None:
    low, high = samples(item.slug).model.bounds_m
    stated = lines[item.slug]["dimensions"]

    assert isinstance(stated, dict)
    for name, size in zip(("width_m", "height_m", "depth_m"), high - low, strict=True):
        assert stated[name] == pytest.approx(size, rel=0.01)


def test_the_list_is_written_from_the_products_as_they_stand(
    item: Item, lines: dict[str, dict[str, object]]
) -> None:
    assert lines[item.slug] == build.product_line(item, manifest_of(lines, item.slug))


def test_the_list_names_the_files_by_their_content(
    item: Item, lines: dict[str, dict[str, object]]
) -> None:
    manifest = manifest_of(lines, item.slug)
    stored = (build.COLLECTION / build.model_file(item.slug)).read_bytes()
    (level,) = manifest.levels

    assert level.key == pipeline.model_key(brotli.decompress(stored))
    assert level.stored_bytes == len(stored)
    shown = {"": manifest.variants[0], **{name: name for name in manifest.variants}}
    assert [poster.variant for poster in manifest.posters] == list(shown)
    for poster in manifest.posters:
        data = (build.COLLECTION / build.poster_file(item.slug, shown[poster.variant])).read_bytes()
        assert poster.key == pipeline.poster_key(data)
        assert poster.size_bytes == len(data)


def test_a_poster_shows_the_product_on_a_clear_ground(
    item: Item, lines: dict[str, dict[str, object]]
) -> None:
    seen = set()
    for name in manifest_of(lines, item.slug).variants:
        path = build.COLLECTION / build.poster_file(item.slug, name)
        picture = pyvips.Image.new_from_file(str(path))
        assert (picture.width, picture.height, picture.bands) == (1024, 1024, 4)
        alpha = picture[3]
        assert alpha(2, 2)[0] == 0
        assert alpha.avg() > 5
        seen.add(tuple(round(picture[band].avg(), 1) for band in range(3)))
    assert len(seen) == len(manifest_of(lines, item.slug).variants)


def test_the_optimised_model_keeps_the_finishes(
    item: Item, lines: dict[str, dict[str, object]]
) -> None:
    stored = (build.COLLECTION / build.model_file(item.slug)).read_bytes()
    document, _ = glb.read(brotli.decompress(stored))

    assert scene.variants(document) == manifest_of(lines, item.slug).variants


def test_it_travels_light() -> None:
    assert build.stored_size_bytes() <= LARGEST_BYTES


def test_nothing_in_the_folder_belongs_to_no_product() -> None:
    expected = {build.LIST, *(build.model_file(slug) for slug in SLUGS)}
    expected |= {build.poster_file(item.slug, sku.finish) for item in ITEMS for sku in item.skus}
    files = [path for path in build.COLLECTION.rglob("*") if path.is_file()]

    assert {path.relative_to(build.COLLECTION).as_posix() for path in files} == expected


@pytest.fixture(scope="module")
def modelled_anew() -> dict[str, str]:
    """What two fresh processes, with nothing but numpy's baseline instructions, model."""
    script = (
        "import hashlib, sys\n"
        "from vitrina.studio import product\n"
        "from vitrina.studio.build import items\n"
        "for item in items(sys.argv[1:]):\n"
        "    print(item.slug, hashlib.sha256(product.write(item.make())).hexdigest())\n"
    )
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": build.BEYOND_BASELINE}
    halves = [
        subprocess.Popen(
            [sys.executable, "-c", script, *slugs],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for slugs in (SLUGS[::2], SLUGS[1::2])
    ]
    printed = "".join(half.communicate(timeout=800)[0] for half in halves)
    return dict(line.split() for line in printed.splitlines())


@pytest.mark.timeout(900)
@pytest.mark.parametrize("slug", SLUGS)
def test_another_process_models_the_same_bytes(
    slug: str, modelled_anew: dict[str, str], lines: dict[str, dict[str, object]]
) -> None:
    assert modelled_anew[slug] == manifest_of(lines, slug).source_sha256


@pytest.mark.timeout(900)
def test_a_fresh_build_is_what_ships_byte_for_byte() -> None:
    result = CliRunner().invoke(app, ["build", "--check", "--only", QUICK, "--json"])

    report = json.loads(result.output)
    assert report["differences"] == []
    assert result.exit_code == 0
    assert [made["slug"] for made in report["products"]] == [QUICK]


@pytest.mark.timeout(900)
def test_a_check_names_what_was_tampered_with(tmp_path: Path) -> None:
    folder = tmp_path / "collection"
    shutil.copytree(build.COLLECTION, folder)
    model = folder / build.model_file(QUICK)
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    gone = folder / build.poster_file(QUICK, "amber")
    gone.unlink()

    result = CliRunner().invoke(app, ["build", "--check", "--only", QUICK, "--into", str(folder)])

    assert result.exit_code == 1
    assert f"{model}: other bytes than a fresh build gives" in result.stderr
    assert f"{gone}: is missing" in result.stderr


@needs_chromium
@pytest.mark.timeout(900)
def test_building_one_product_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "collection"
    shutil.copytree(build.COLLECTION, folder)
    before = digests(folder)
    for name in ("smoke", "sea", "amber"):
        (folder / build.poster_file(QUICK, name)).unlink()

    result = CliRunner().invoke(app, ["build", "--only", QUICK, "--into", str(folder)])

    assert result.exit_code == 0, result.output
    after = digests(folder)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {build.LIST, *(name for name in after if f"posters/{QUICK}." in name)}
    fresh, old = build.product_lines(folder), build.product_lines(build.COLLECTION)
    assert [slug for slug in fresh if fresh[slug] != old[slug]] in ([], [QUICK])
    for name in ("smoke", "sea", "amber"):
        one, other = (
            (place / build.poster_file(QUICK, name)).read_bytes()
            for place in (folder, build.COLLECTION)
        )
        assert build.picture_distance(one, other) <= build.POSTER_TOLERANCE


def test_an_unknown_product_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["build", "--only", "sofa", "--into", str(tmp_path / "new")])

    assert result.exit_code == 2
    assert "sofa" in result.stderr
    assert QUICK in result.stderr
    assert not (tmp_path / "new").exists()


def test_the_list_command_names_every_product_with_its_finishes() -> None:
    result = CliRunner().invoke(app, ["list", "--json"])

    assert list(json.loads(result.output)) == SLUGS
    assert json.loads(result.output)[QUICK] == ["smoke", "sea", "amber"]


def test_pictures_far_apart_are_told_from_pictures_close_by() -> None:
    grey = pyvips.Image.black(8, 8, bands=4) + 100
    near, far = grey + 1, grey + 40
    saved = [
        image.cast("uchar").webpsave_buffer(lossless=True, exact=True)
        for image in (grey, near, far)
    ]

    assert build.picture_distance(saved[0], saved[1]) == pytest.approx(1, abs=0.5)
    assert build.picture_distance(saved[0], saved[2]) > build.POSTER_TOLERANCE


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
