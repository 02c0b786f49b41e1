"""Geometry through gltfpack in its sandbox: smaller, and still the same product."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitrina.models3d import geometry, glb, preflight, scene
from vitrina.models3d.errors import BrokenModel, ModelTooLarge
from vitrina.models3d.geometry import GeometryOptions
from vitrina.models3d.model import Bundle

from .builders import Scene, noise, plain_quad, png, textured_quad
from .conftest import DRACO, models_folder


def bundle_of(data: bytes) -> Bundle:
    return glb.unpack(*preflight.check(data))


def test_size_place_and_triangles_stay() -> None:
    small = geometry.compress(bundle_of(plain_quad().glb()))
    assert scene.triangles(small.document) == 2
    low, high = scene.bounds_m(small.document, small.binary)
    np.testing.assert_allclose(low, (0, 0, 0), atol=1e-4)
    np.testing.assert_allclose(high, (2, 1, 0), atol=1e-4)
    assert small.notes == ()


def test_many_vertices_take_less_room() -> None:
    before = bundle_of(grid(60).glb())
    after = geometry.compress(before)
    assert scene.triangles(after.document) == scene.triangles(before.document)
    assert len(after.binary) < 0.25 * len(before.binary)


def test_finishes_and_materials_keep_their_names() -> None:
    small = geometry.compress(bundle_of(textured_quad().glb())).document
    assert scene.variants(small) == ("oak", "walnut")
    names = [material["name"] for material in small["materials"]]
    assert names == ["Oak", "Walnut"]
    extension = small["meshes"][0]["primitives"][0]["extensions"]["KHR_materials_variants"]
    worn = {
        scene.variants(small)[index]: names[mapping["material"]]
        for mapping in extension["mappings"]
        for index in mapping["variants"]
    }
    assert worn == {"oak": "Oak", "walnut": "Walnut"}


def test_every_material_still_wears_its_own_picture() -> None:
    before = bundle_of(textured_quad().glb())
    after = geometry.compress(before)
    for old, new in zip(before.document["materials"], after.document["materials"], strict=True):
        assert base_colour(after, new) == base_colour(before, old)


def base_colour(bundle: Bundle, material: dict[str, Any]) -> bytes:
    texture = material["pbrMetallicRoughness"]["baseColorTexture"]["index"]
    image = bundle.document["images"][bundle.document["textures"][texture]["source"]]
    return bundle.files[image["uri"]]


def test_whose_work_it_is_stays_written_in_it() -> None:
    asset = geometry.compress(bundle_of(plain_quad().glb())).document["asset"]
    assert (asset["copyright"], asset["extras"]) == ("2031 Ada", {"licence": "CC0-1.0"})


@pytest.mark.parametrize("mode", ["BLEND", "MASK"])
def test_cut_out_materials_stay_cut_out(mode: str) -> None:
    scenery = Scene()
    texture = scenery.texture(scenery.image(png(noise(16, seed=1, channels=4))))
    paint = scenery.material(
        "Weave", alphaMode=mode, pbrMetallicRoughness={"baseColorTexture": {"index": texture}}
    )
    scenery.quad(paint)
    small = geometry.compress(bundle_of(scenery.glb()))
    assert small.document["materials"][0]["alphaMode"] == mode


def test_repeated_textures_get_finer_coordinates() -> None:
    def bits(repeats: float) -> int:
        scenery = textured_quad(64)
        for material in scenery.document["materials"]:
            transform = {"KHR_texture_transform": {"scale": [repeats, repeats]}}
            material["normalTexture"]["extensions"] = transform
        return geometry._texture_bits(bundle_of(scenery.glb()), GeometryOptions())

    assert [bits(1), bits(8), bits(100)] == [10, 12, 16]


def test_the_same_model_gives_the_same_bytes() -> None:
    bundle = bundle_of(textured_quad().glb())
    assert glb.pack(geometry.compress(bundle)) == glb.pack(geometry.compress(bundle))


def test_a_strip_of_triangles_stays_whole() -> None:
    scenery = plain_quad()
    primitive = scenery.document["meshes"][0]["primitives"][0]
    primitive |= {"mode": 5, "indices": scenery.accessor(np.array([0, 1, 3, 2], "<u2"), "SCALAR")}
    assert scene.triangles(geometry.compress(bundle_of(scenery.glb())).document) == 2


def test_what_compressing_would_lose_leaves_the_geometry_alone() -> None:
    scenery = plain_quad()
    scenery.document["extensionsUsed"] = ["KHR_materials_diffuse_roughness"]
    before = bundle_of(scenery.glb())
    after = geometry.compress(before)
    assert (after.document, after.binary) == (before.document, before.binary)
    assert "KHR_materials_diffuse_roughness" in after.notes[0]


def test_neither_time_nor_memory_nor_room_is_endless() -> None:
    bundle = bundle_of(grid(60).glb())
    for options in (
        GeometryOptions(fuel=1_000_000),
        GeometryOptions(memory_bytes=2**19),
        GeometryOptions(output_bytes=100),
    ):
        with pytest.raises(ModelTooLarge, match="more memory or time"):
            geometry.compress(bundle, options)


def test_the_sandbox_sees_no_file_but_the_models() -> None:
    """Even a document that preflight would never let through reaches nothing outside."""
    scenery = plain_quad()
    scenery.document["buffers"][0]["uri"] = "/etc/passwd"
    with pytest.raises(BrokenModel, match="cannot be read"):
        run({geometry.INPUT: glb.write(scenery.document, b"")})
    with pytest.raises(BrokenModel, match="cannot be read"):
        run({geometry.INPUT: b"glTF, or so it says"})


def run(files: dict[str, bytes]) -> bytes:
    return geometry.run_gltfpack(
        ["-i", geometry.INPUT, "-o", geometry.OUTPUT], files, GeometryOptions()
    )


@pytest.mark.parametrize(
    "path", [p for p in sorted(models_folder().glob("*.glb")) if p.stem not in DRACO],
    ids=lambda p: p.stem,
)  # fmt: skip
def test_real_models_keep_what_they_have(path: Path) -> None:
    before = bundle_of(path.read_bytes())
    after = geometry.compress(before)
    old, new = before.document, after.document

    assert scene.variants(new) == scene.variants(old)
    assert len(new.get("animations", [])) == len(old.get("animations", []))
    assert len(new.get("skins", [])) == len(old.get("skins", []))
    assert set(old.get("extensionsUsed", [])) <= set(new["extensionsUsed"])
    assert [m.get("name") for m in new["materials"]] == [m.get("name") for m in old["materials"]]
    assert [
        m.get("alphaMode") for m in new["materials"] if m.get("alphaMode", "OPAQUE") != "OPAQUE"
    ] == [m.get("alphaMode") for m in old["materials"] if m.get("alphaMode", "OPAQUE") != "OPAQUE"]
    assert new["asset"].get("copyright") == old["asset"].get("copyright")
    # Triangles without an area may go, nothing else.
    assert 0.999 * scene.triangles(old) <= scene.triangles(new) <= scene.triangles(old)
    size = np.ptp(scene.bounds_m(old, before.binary), axis=0).max()
    np.testing.assert_allclose(
        scene.bounds_m(new, after.binary), scene.bounds_m(old, before.binary), atol=2e-4 * size
    )
    preflight.check(glb.pack(after))


def grid(side: int) -> Scene:
    """A rolling hill of ``side`` × ``side`` squares."""
    x, y = np.meshgrid(np.linspace(0, 2, side + 1), np.linspace(0, 1, side + 1))
    positions = np.stack([x, y, 0.1 * np.sin(5 * x)], axis=-1).reshape(-1, 3).astype("<f4")
    corner = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).reshape(-1, 1)
    squares = corner + np.array([0, 1, side + 1, 1, side + 2, side + 1])
    scenery = Scene()
    scenery.quad(scenery.material("Hill"))
    primitive = scenery.document["meshes"][0]["primitives"][0]
    bounds = {"min": positions.min(0).tolist(), "max": positions.max(0).tolist()}
    primitive["attributes"] = {"POSITION": scenery.accessor(positions, "VEC3", **bounds)}
    primitive["indices"] = scenery.accessor(squares.reshape(-1).astype("<u2"), "SCALAR")
    return scenery
