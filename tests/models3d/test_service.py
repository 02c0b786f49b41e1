"""From a merchant's file to what shoppers get."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import brotli
import pytest

from vitrina.entrypoints.wiring import Services
from vitrina.models3d import glb, images, pipeline, preflight, scene, service
from vitrina.models3d.errors import ModelRefused, NotAGlb
from vitrina.models3d.model import Bundle, Level, Manifest, Poster, from_plain, to_plain
from vitrina.models3d.service import prepare, publish

from .builders import decoded, flat_png, textured_quad
from .conftest import models_folder

BOX = Manifest(
    source_sha256="",
    pipeline="1",
    tier="core",
    levels=(Level("full", "models/a.glb", size_bytes=1, stored_bytes=1, triangles=12),),
    posters=(),
    variants=(),
    bounds_min_m=(0, 0, 0),
    bounds_max_m=(1, 1, 1),
    animations=0,
)


@pytest.fixture(scope="module")
def source() -> bytes:
    return textured_quad(128).glb()


def test_a_prepared_model_is_smaller_and_described(source: bytes) -> None:
    prepared = prepare(source)
    assert len(prepared.glb) < 0.3 * len(source)
    assert brotli.decompress(prepared.stored) == prepared.glb
    assert prepared.manifest == Manifest(
        source_sha256=hashlib.sha256(source).hexdigest(),
        pipeline="1",
        tier="core",
        levels=(
            Level(
                name="full",
                key=f"models/{hashlib.sha256(prepared.glb).hexdigest()[:32]}.glb",
                size_bytes=len(prepared.glb),
                stored_bytes=len(prepared.stored),
                triangles=2,
            ),
        ),
        posters=(),
        variants=("oak", "walnut"),
        bounds_min_m=(0.0, 0.0, 0.0),
        bounds_max_m=(2.0, 1.0, 0.0),
        animations=0,
    )
    assert from_plain(to_plain(prepared.manifest)) == prepared.manifest
    assert prepared.notes == ()


def test_what_is_published_is_a_sound_model(source: bytes) -> None:
    document, binary = preflight.check(prepare(source).glb)
    assert scene.triangles(document) == 2
    assert {"EXT_texture_avif", "KHR_meshopt_compression"} <= set(document["extensionsRequired"])
    for image in document["images"]:
        found = images.sniff(glb.image_bytes(document, binary, image))
        assert found is not None
        assert found.mime == image["mimeType"]


def test_each_step_is_measured(source: bytes) -> None:
    reports = prepare(source).reports
    assert [report.step for report in reports] == ["textures", "geometry"]
    assert all(report.took_s > 0 and report.cpu_s > 0 for report in reports)
    assert reports[0].size_bytes < len(source)


def test_two_processes_give_the_same_bytes(source: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.glb"
    file.write_bytes(source)
    program = (
        "import hashlib, pathlib, sys; from vitrina.models3d.service import prepare;"
        "made = prepare(pathlib.Path(sys.argv[1]).read_bytes());"
        "print(hashlib.sha256(made.glb + made.stored).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program, file],
            capture_output=True, text=True, check=True, timeout=120,
            env={"VIPS_CONCURRENCY": threads},
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    made = prepare(source)
    assert said == {hashlib.sha256(made.glb + made.stored).hexdigest() + "\n"}


def test_what_is_small_already_stays_as_it_is(source: bytes) -> None:
    once = prepare(source).glb
    again = prepare(once)
    assert len(again.glb) <= len(once)
    assert again.manifest.variants == ("oak", "walnut")


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(NotAGlb, match="a picture"):
        prepare(flat_png(8, 1, 2, 3))


def test_a_step_that_refuses_ends_the_run() -> None:
    def refuse(bundle: Bundle) -> Bundle:
        raise ModelRefused("No.")

    with pytest.raises(ModelRefused):
        pipeline.run([refuse, refuse], glb.unpack(*preflight.check(textured_quad(16).glb())))


def test_publishing_stores_each_file_once_under_its_content(
    services: Services, source: bytes
) -> None:
    prepared = prepare(source)
    poster = service.neutral_poster(prepared.manifest, size_px=64)
    manifest = publish(services.assets, prepared, {"": poster, "walnut": poster})

    level = services.assets.get(manifest.levels[0].key)
    assert level.data == prepared.stored
    assert (level.content_type, level.content_encoding) == ("model/gltf-binary", "br")
    assert level.cache_control == "public, max-age=31536000, immutable"
    key = f"posters/{hashlib.sha256(poster).hexdigest()[:32]}.webp"
    picture = services.assets.get(key)
    assert (picture.data, picture.content_type, picture.content_encoding) == (
        poster, "image/webp", None,
    )  # fmt: skip
    assert sorted(services.assets.keys()) == sorted([manifest.levels[0].key, key])
    assert manifest.posters == (
        Poster("", key, 64, 64, len(poster)),
        Poster("walnut", key, 64, 64, len(poster)),
    )


def test_publishing_twice_changes_nothing(services: Services, source: bytes) -> None:
    prepared = prepare(source)
    posters = {"": service.neutral_poster(prepared.manifest, size_px=64)}
    first = publish(services.assets, prepared, posters)
    keys = sorted(services.assets.keys())
    before = [services.assets.get(key) for key in keys]
    assert publish(services.assets, prepared, posters) == first
    assert sorted(services.assets.keys()) == keys
    assert [services.assets.get(key) for key in keys] == before


def test_a_poster_that_is_no_picture_leaves_nothing_behind(
    services: Services, source: bytes
) -> None:
    with pytest.raises(ValueError, match="poster of 'walnut' is no picture"):
        publish(services.assets, prepare(source), {"walnut": b"<html>"})
    assert list(services.assets.keys()) == []


def test_a_neutral_poster_has_the_products_proportions() -> None:
    def drawn(width_m: float, height_m: float) -> tuple[int, int]:
        """Columns and rows of the picture that the box covers."""
        manifest = replace(
            BOX,
            bounds_max_m=(width_m, height_m, width_m),
        )
        poster = service.neutral_poster(manifest, size_px=256)
        assert poster == service.neutral_poster(manifest, size_px=256)
        opaque = decoded(poster)[..., 3] > 250
        return int(opaque.any(axis=0).sum()), int(opaque.any(axis=1).sum())

    tall, flat = drawn(0.3, 2.0), drawn(2.0, 0.01)
    assert tall[1] > 2 * tall[0]
    assert flat[0] > 2 * flat[1]


@pytest.mark.parametrize(
    "path", [p for p in sorted(models_folder().glob("*.glb")) if p.stem == "Fox"],
    ids=lambda p: p.stem,
)  # fmt: skip
def test_real_models_come_out_a_fraction_of_their_size(path: Path) -> None:
    source = path.read_bytes()
    prepared = prepare(source)
    assert len(prepared.stored) < 0.2 * len(source)
    assert prepared.manifest.tier == "full"
    preflight.check(prepared.glb)
