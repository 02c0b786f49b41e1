"""Textures by what they are used for: small, and still the same surface."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pyvips

from vitrina.models3d import glb, images, preflight, textures
from vitrina.models3d.errors import UnusableImage
from vitrina.models3d.model import Bundle
from vitrina.models3d.textures import COLOUR, DATA, NORMAL, TextureOptions, Use

from .builders import Scene, decoded, flat_png, noise, normal_map, png, textured_quad

OPTIONS = TextureOptions()


def bundle_of(scene: Scene) -> Bundle:
    return glb.unpack(*preflight.check(scene.glb()))


def painted(image: bytes, mime: str = "image/png", **material: Any) -> Scene:
    scene = Scene()
    texture = scene.texture(scene.image(image, mime, name="Paint"))
    properties = {"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}}
    scene.quad(scene.material("Paint", **properties, **material))
    return scene


def only_file(bundle: Bundle) -> bytes:
    (data,) = bundle.files.values()
    return data


def test_slots_tell_what_an_image_is_used_for() -> None:
    uses = textures.uses_of(bundle_of(textured_quad(16)).document)
    assert {index: (use.roles, use.channels) for index, use in uses.items()} == {
        0: ({NORMAL}, set("RGB")),
        1: ({COLOUR}, set("RGB")),
        2: ({DATA}, set("GB")),
        3: ({COLOUR}, set("RGB")),
    }


def test_extensions_have_slots_too() -> None:
    scene = Scene()
    texture = {"index": scene.texture(scene.image(png(noise(16, 1))))}
    sheen = {"sheenColorTexture": texture, "sheenRoughnessTexture": texture}
    scene.quad(scene.material("Velvet", extensions={"KHR_materials_sheen": sheen}))
    uses = textures.uses_of(scene.document)
    assert uses == {0: Use({COLOUR, DATA}, set("RGBA"))}


@pytest.mark.parametrize("size_px", [64, 512])
def test_every_kind_of_texture_stays_within_its_bound(size_px: int) -> None:
    sources = {
        COLOUR: (noise(size_px, 1), "RGB"),
        NORMAL: (normal_map(size_px), "RGB"),
        DATA: (noise(size_px, 2), "GB"),
    }
    for role, (pixels, channels) in sources.items():
        coded = textures.code(png(pixels), Use({role}, set(channels)), OPTIONS)
        read = ["RGB".index(channel) for channel in channels]
        found = textures.difference(pixels[..., read], decoded(coded)[..., read])
        assert found.structure <= OPTIONS.bounds[role].structure
        assert found.drift <= OPTIONS.bounds[role].drift
        assert len(coded) < len(png(pixels))


def test_normals_keep_their_direction() -> None:
    pixels = normal_map(512)
    coded = decoded(textures.code(png(pixels), Use({NORMAL}, set("RGB")), OPTIONS))
    before, after = (map_ / 127.5 - 1 for map_ in (pixels, coded))
    cosine = (before * after).sum(-1) / np.linalg.norm(before, axis=-1)
    cosine /= np.linalg.norm(after, axis=-1)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 1.0


def test_difference_is_nothing_for_equals_and_grows_with_damage() -> None:
    pixels = noise(64, 1)
    same = textures.difference(pixels, pixels)
    assert (round(same.structure, 6), same.drift) == (0, 0)
    darker = textures.difference(pixels, pixels - 5)
    assert (round(darker.structure, 6), round(darker.drift, 3)) == (0, 5)
    flat = np.broadcast_to(pixels.mean((0, 1), keepdims=True), pixels.shape).astype(np.uint8)
    assert textures.difference(pixels, flat).structure > 0.3


def test_a_texture_of_one_colour_becomes_one_texel() -> None:
    small = textures.compress(bundle_of(painted(flat_png(256, 200, 100, 50))))
    data = only_file(small)
    assert decoded(data).tolist() == [[[200, 100, 50]]]
    assert len(data) < 80


def test_large_textures_shrink_to_the_largest_side() -> None:
    options = replace(OPTIONS, largest_side_px=64)
    small = textures.compress(bundle_of(painted(png(noise(256, 1)[:, :128]))), options)
    info = images.sniff(only_file(small))
    assert info is not None
    assert (info.width_px, info.height_px) == (32, 64)
    expected = noise(256, 1)[:, :128].reshape(64, 4, 32, 4, 3).mean((1, 3))
    assert np.abs(decoded(only_file(small)) - expected).mean() < 4


def test_a_picture_that_is_small_already_stays_as_it_is() -> None:
    source = painted(png(noise(256, 1))).glb()
    once = textures.compress(glb.unpack(*preflight.check(source)))
    again = textures.compress(once)
    assert only_file(again) == only_file(once)


def test_what_no_material_reads_costs_nothing() -> None:
    pixels = noise(512, 1)
    busy = np.random.default_rng(1).integers(0, 255, (512, 512), np.uint8)
    noisy = pixels.copy()
    noisy[..., 0] = busy
    use = Use({DATA}, set("GB"))
    coded = textures.code(png(noisy), use, OPTIONS)
    assert len(coded) < 1.1 * len(textures.code(png(pixels), use, OPTIONS))


@pytest.mark.parametrize(("mode", "bands"), [("OPAQUE", 3), ("MASK", 4), ("BLEND", 4)])
def test_alpha_stays_where_it_is_seen(mode: str, bands: int) -> None:
    pixels = noise(256, 1, channels=4)
    small = textures.compress(bundle_of(painted(png(pixels), alphaMode=mode)))
    result = decoded(only_file(small))
    assert result.shape[2] == bands
    if bands == 4:
        assert np.abs(result[..., 3].astype(int) - pixels[..., 3]).mean() < 4


def test_images_that_nothing_shows_are_dropped_and_twins_become_one() -> None:
    scene = textured_quad(64)
    twin = scene.texture(scene.image(png(noise(64, seed=1))))
    scene.document["materials"][1]["pbrMetallicRoughness"]["baseColorTexture"]["index"] = twin
    unworn = scene.texture(scene.image(png(noise(64, seed=9))))
    scene.material("Never worn", normalTexture={"index": unworn})
    small = textures.compress(bundle_of(scene))

    assert len(small.files) == len(small.document["images"]) == 3
    pictures = [
        small.document["textures"][material["pbrMetallicRoughness"]["baseColorTexture"]["index"]]
        for material in small.document["materials"][:2]
    ]
    assert pictures[0]["source"] == pictures[1]["source"]
    preflight.check(glb.pack(small))


def test_the_same_textures_give_the_same_bytes() -> None:
    bundle = bundle_of(textured_quad(128))
    assert textures.compress(bundle).files == textures.compress(bundle).files


def test_the_bundle_handed_in_is_not_changed() -> None:
    bundle = bundle_of(textured_quad(64))
    before = glb.pack(bundle)
    textures.compress(bundle)
    assert glb.pack(bundle) == before


def test_a_damaged_picture_is_named() -> None:
    broken = png(noise(256, 1))[:2000]
    with pytest.raises(UnusableImage, match=r'Image 0 \("Paint"\) is damaged'):
        textures.compress(bundle_of(painted(broken)))


def stored_as(kind: str) -> tuple[bytes, str]:
    image = pyvips.Image.new_from_array(noise(64, 1)).copy(interpretation="srgb")
    match kind:
        case "16 bits":
            deep = (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
            return deep.pngsave_buffer(bitdepth=16), "image/png"
        case "palette":
            return image.pngsave_buffer(palette=True), "image/png"
        case "grey":
            return image.colourspace("b-w").pngsave_buffer(), "image/png"
        case "grey and alpha":
            return image.colourspace("b-w").bandjoin(255).pngsave_buffer(), "image/png"
        case "JPEG":
            return image.jpegsave_buffer(Q=95), "image/jpeg"
        case "grey JPEG":
            return image.colourspace("b-w").jpegsave_buffer(Q=95), "image/jpeg"
        case "CMYK JPEG":
            return image.colourspace("cmyk").jpegsave_buffer(Q=95), "image/jpeg"
        case "WebP":
            return image.webpsave_buffer(Q=95), "image/webp"
        case "AVIF":
            return image.heifsave_buffer(compression="av1", Q=90), "image/avif"
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("16 bits", "palette", "grey", "grey and alpha"),
        *("JPEG", "grey JPEG", "CMYK JPEG", "WebP", "AVIF"),
    ],
)
def test_every_way_of_storing_pixels_is_read(kind: str) -> None:
    data, mime = stored_as(kind)
    small = textures.compress(bundle_of(painted(data, mime)))
    result = decoded(only_file(small)).astype(int)
    expected = noise(64, 1).astype(int)
    if "grey" in kind:
        # Grey is the luminance; it differs from the mean by what the channels differ.
        assert np.abs(result[..., :3].mean(-1) - expected.mean(-1)).mean() < 40
    elif kind == "CMYK JPEG":
        assert result.shape == expected.shape  # inks are not pixels: colours may differ
    else:
        assert np.abs(result - expected).mean() < 6
