"""The container and its numbers."""

import numpy as np
import pytest
import pyvips

from vitrina.models3d import glb, images
from vitrina.models3d.errors import NotAGlb

from .builders import QUAD_POSITIONS, Scene, flat_png, plain_quad, textured_quad


def test_what_is_written_is_read_again() -> None:
    document, binary = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 5}]}, b"abcde"
    assert glb.read(glb.write(document, binary)) == (document, b"abcde\0\0\0")


def test_chunks_start_at_multiples_of_four() -> None:
    data = glb.write({"asset": {"version": "2.0"}, "x": "é"}, b"12345")
    assert len(data) % 4 == 0
    assert data[12:16] == (len(data) - 12 - 8 - 8 - 8).to_bytes(4, "little")


def test_unknown_chunks_are_skipped() -> None:
    data = bytearray(plain_quad().glb() + b"\4\0\0\0MINEabcd")
    data[8:12] = len(data).to_bytes(4, "little")
    assert glb.read(bytes(data)) == glb.read(plain_quad().glb())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "This is not a GLB file but empty"),
        (b"PK\x03\x04" + bytes(40), "a ZIP archive"),
        (b'{"asset": {"version": "2.0"}}', "perhaps a .gltf"),
        (b"<!doctype html><html>", "a web page"),
        (b"Kaydara FBX Binary  \0", "an FBX file"),
        (b"# Blender 4.1\nmtllib chair.mtl", "another format"),
        (flat_png(4, 1, 2, 3), "a picture .image/png."),
        (b"\0" * 64, "something else"),
        (b"glTF" + (1).to_bytes(4, "little") + bytes(20), "GLB version 1"),
        (plain_quad().glb()[:-8], "cut short"),
        (plain_quad().glb() + b"....", "4 bytes too many"),
        (b"glTF" + (2).to_bytes(4, "little") + (12).to_bytes(4, "little"), "no description"),
    ],
)
def test_what_is_no_glb_is_named(data: bytes, message: str) -> None:
    with pytest.raises(NotAGlb, match=message):
        glb.chunks(data)


def test_interleaved_positions_are_read_with_their_stride() -> None:
    scene = Scene()
    interleaved = np.arange(24, dtype="<f4").reshape(4, 6)
    accessor = scene.accessor(interleaved[:, :3].copy(), "VEC3")
    view = scene.view(interleaved.tobytes())
    scene.document["bufferViews"][view]["byteStride"] = 24
    scene.document["accessors"][accessor] |= {"bufferView": view, "byteOffset": 12}
    values = glb.numbers(scene.document, bytes(scene.binary), accessor)
    np.testing.assert_array_equal(values, interleaved[:, 3:])


def test_normalised_numbers_mean_fractions() -> None:
    scene = Scene()
    accessor = scene.accessor(np.array([[-128, -127, 0, 127]], "<i1"), "VEC4", normalized=True)
    values = glb.floats(scene.document, bytes(scene.binary), accessor)
    np.testing.assert_array_equal(values, [[-1, -1, 0, 1]])


def test_sparse_values_replace_others() -> None:
    scene = Scene()
    accessor = scene.accessor(QUAD_POSITIONS, "VEC3")
    scene.document["accessors"][accessor]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": scene.view(b"\2"), "componentType": 5121},
        "values": {"bufferView": scene.view(np.array([7, 8, 9], "<f4").tobytes())},
    }
    values = glb.numbers(scene.document, bytes(scene.binary), accessor)
    np.testing.assert_array_equal(values, [[0, 0, 0], [2, 0, 0], [7, 8, 9], [0, 1, 0]])


def test_unpacking_moves_images_out_and_packing_puts_them_back() -> None:
    scene = textured_quad()
    document, binary = glb.read(scene.glb())
    bundle = glb.unpack(document, binary)

    assert [image["uri"] for image in bundle.document["images"]] == [
        "0.png", "1.png", "2.png", "3.png",
    ]  # fmt: skip
    assert len(bundle.binary) < 300, "only geometry is left in the buffer"
    again, buffer = glb.read(glb.pack(bundle))
    for before, after in zip(document["images"], again["images"], strict=True):
        assert glb.image_bytes(again, buffer, after) == glb.image_bytes(document, binary, before)
    for accessor in range(4):
        np.testing.assert_array_equal(
            glb.numbers(again, buffer, accessor), glb.numbers(document, binary, accessor)
        )


def test_packing_does_not_change_the_bundle() -> None:
    bundle = glb.unpack(*glb.read(textured_quad().glb()))
    assert glb.pack(bundle) == glb.pack(bundle)
    assert "uri" in bundle.document["images"][0]


def test_views_that_share_bytes_go_on_sharing_them() -> None:
    scene = plain_quad()
    views = scene.document["bufferViews"]
    for accessor in scene.document["accessors"]:  # every accessor sees the whole buffer
        place = views[accessor["bufferView"]]
        accessor["byteOffset"] = place["byteOffset"]
        views.append({"buffer": 0, "byteOffset": 0, "byteLength": len(scene.binary)})
        accessor["bufferView"] = len(views) - 1
    bundle = glb.unpack(scene.document, bytes(scene.binary))
    assert bundle.binary == bytes(scene.binary)
    np.testing.assert_array_equal(glb.numbers(bundle.document, bundle.binary, 0), QUAD_POSITIONS)


def test_an_image_in_a_data_address_is_embedded() -> None:
    scene = plain_quad()
    scene.document["images"] = [{"uri": "data:image/png;base64,iVBORw0KGgo="}]
    bundle = glb.unpack(scene.document, bytes(scene.binary))
    assert bundle.files == {"0.bin": b"\x89PNG\r\n\x1a\n"}


def test_headers_tell_format_and_size() -> None:
    picture = pyvips.Image.black(37, 21, bands=3).copy(interpretation="srgb")
    assert images.sniff(picture.pngsave_buffer()) == images.ImageInfo("image/png", 37, 21)
    assert images.sniff(picture.jpegsave_buffer()) == images.ImageInfo("image/jpeg", 37, 21)
    for lossless in (True, False):
        webp = picture.webpsave_buffer(lossless=lossless)
        assert images.sniff(webp) == images.ImageInfo("image/webp", 37, 21)
    transparent = picture.addalpha().webpsave_buffer()
    assert images.sniff(transparent) == images.ImageInfo("image/webp", 37, 21)
    avif = picture.heifsave_buffer(compression="av1")
    assert images.sniff(avif) == images.ImageInfo("image/avif", 37, 21)
    assert images.sniff(b"\x89PNG\r\n\x1a\n") is None
    assert images.sniff(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None
