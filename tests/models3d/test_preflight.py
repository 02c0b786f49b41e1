"""Broken and hostile files: each refused with its own words, none of them at length."""

import base64
import json
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrina.models3d import glb, preflight
from vitrina.models3d.errors import (
    BrokenModel,
    DracoCompressed,
    ExternalFiles,
    ModelRefused,
    ModelTooLarge,
    NotAGlb,
    NothingToShow,
    UnsupportedFeature,
    UnusableImage,
)

from .builders import (
    QUAD_POSITIONS,
    Document,
    Scene,
    changed,
    flat_png,
    plain_quad,
    png_that_claims,
    textured_quad,
    with_json,
)
from .conftest import DRACO, models_folder

Hostile = Callable[[], bytes]


def edited(
    change: Callable[[Document], object], start: Callable[[], Scene] = plain_quad
) -> Hostile:
    return lambda: changed(start(), change)


def json_chunk(text: bytes) -> Hostile:
    return lambda: with_json(plain_quad().glb(), text)


def with_image(data: bytes, mime: str = "image/png") -> Hostile:
    def build() -> bytes:
        scene = plain_quad()
        scene.image(data, mime, name="Evil")
        return scene.glb()

    return build


def with_positions(change: Callable[[Any], object]) -> Hostile:
    def build() -> bytes:
        scene = plain_quad()
        positions = QUAD_POSITIONS.copy()
        change(positions)
        scene.binary[: positions.nbytes] = positions.tobytes()
        return scene.glb()

    return build


def with_index(value: int) -> Hostile:
    def build() -> bytes:
        scene = plain_quad()
        scene.binary[-2:] = struct.pack("<H", value)
        return scene.glb()

    return build


def with_sparse(index: int) -> Hostile:
    def build() -> bytes:
        scene = plain_quad()
        scene.document["accessors"][0]["sparse"] = {
            "count": 1,
            "indices": {"bufferView": scene.view(bytes([index])), "componentType": 5121},
            "values": {"bufferView": scene.view(bytes(12))},
        }
        return scene.glb()

    return build


def many_instances(nodes: int, triangles: int) -> Hostile:
    """Billion laughs in 3D: one mesh, used again and again."""

    def build() -> bytes:
        scene = plain_quad()
        indices = scene.accessor(np.tile(np.array([0, 1, 2], "<u2"), triangles), "SCALAR")
        scene.document["meshes"][0]["primitives"][0]["indices"] = indices
        scene.document["nodes"] = [{"mesh": 0}] * nodes
        scene.document["scenes"] = [{"nodes": list(range(nodes))}]
        return scene.glb()

    return build


def many_unused_vertices() -> bytes:
    scene = plain_quad()
    primitive = scene.document["meshes"][0]["primitives"][0]
    primitive["attributes"] = {"POSITION": scene.accessor(np.ones((1000, 3), "<f4"), "VEC3")}
    scene.document["nodes"] = [{"mesh": 0}] * 20_000
    scene.document["scenes"] = [{"nodes": list(range(20_000))}]
    return scene.glb()


def overlapping_views() -> bytes:
    """Twenty thousand views of the same bytes: small in the file, enormous when unpacked."""
    scene = plain_quad()
    scene.view(bytes(2**20))
    scene.document["bufferViews"] += [{"buffer": 0, "byteLength": 2**20}] * 20_000
    scene.document["accessors"] += [
        {"bufferView": 6, "componentType": 5126, "type": "SCALAR", "count": 2**18}
    ] * 20_000
    return scene.glb()


def meshopt(**coding: Any) -> Hostile:
    def change(document: Document) -> None:
        whole = {"buffer": 0, "byteOffset": 0, "byteLength": 48, "count": 4, "byteStride": 12}
        document["bufferViews"][0]["extensions"] = {
            "EXT_meshopt_compression": whole | {"mode": "ATTRIBUTES"} | coding
        }

    return edited(change)


def jpeg_without_end() -> bytes:
    """Metadata segment after metadata segment, and never a picture."""
    return b"\xff\xd8" + b"\xff\xe1\x00\x02" * 1_000_000


def first(document: Document, *path: str | int) -> Any:
    for step in path:
        document = document[step]  # type: ignore[index]
    return document


DOT = "data:image/png;base64," + base64.b64encode(flat_png(1, 1, 2, 3)).decode()

HOSTILE: dict[str, tuple[Hostile, type[ModelRefused], str]] = {
    "too many bytes": (
        lambda: b"glTF" + bytes(100 * 2**20), ModelTooLarge, "The file has 100.0 MB",
    ),
    "lengths beyond the file": (
        lambda: plain_quad().glb()[:12] + b"\xff\xff\xff\x7fJSON" + plain_quad().glb()[20:],
        NotAGlb, "claims 2,147,483,647 bytes",
    ),
    "nested brackets": (
        json_chunk(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        BrokenModel, "nested over 64",
    ),
    "text that never ends": (
        json_chunk(b'{"a":"' + b'\\"' * 4_000_000), NotAGlb, "not valid JSON",
    ),
    "brackets inside text do not nest": (
        json_chunk(b'{"a":"' + b"[" * 100_000 + b'"}'), BrokenModel, "which version of glTF",
    ),
    "huge description": (
        json_chunk(b'{"a":"' + b"x" * 9 * 2**20 + b'"}'), ModelTooLarge, "description has 9.0 MB",
    ),
    "no JSON": (json_chunk(b'{"asset": {'), NotAGlb, "not valid JSON"),
    "no UTF-8": (json_chunk(b'{"asset": "\xff\xfe"}'), NotAGlb, "not valid UTF-8"),
    "UTF-16": (json_chunk('{"asset": {}}'.encode("utf-16")), NotAGlb, "not valid"),
    "half a surrogate pair": (json_chunk(b'{"a":"\\ud800"}'), NotAGlb, "not valid UTF-8"),
    "a list": (json_chunk(b"[1, 2, 3]"), NotAGlb, "not an object"),
    "infinite numbers": (json_chunk(b'{"a": 1e999}'), BrokenModel, "1e999, which is no number"),
    "NaN": (json_chunk(b'{"a": NaN}'), BrokenModel, "NaN, which is no number"),
    "endless digits": (json_chunk(b'{"a": ' + b"9" * 10**6 + b"}"), NotAGlb, "not valid JSON"),
    "old glTF": (
        edited(lambda d: d["asset"].update(version="1.0")), UnsupportedFeature, "glTF 1.0",
    ),
    "no version": (edited(lambda d: d.pop("asset")), BrokenModel, "which version of glTF"),
    "nodes are no list": (
        edited(lambda d: d.update(nodes={"0": {}})), BrokenModel, '"nodes" should be a list',
    ),
    "nodes are numbers": (
        edited(lambda d: d.update(nodes=[1, 2])),
        BrokenModel, '"nodes" should be a list of objects',
    ),
    "a million nodes": (
        edited(lambda d: d.update(nodes=[{}] * 1_000_000)), ModelTooLarge, "has 1,000,000 nodes",
    ),
    "Draco": (
        edited(lambda d: d.update(extensionsRequired=["KHR_draco_mesh_compression"])),
        DracoCompressed, "Export it without Draco",
    ),
    "Basis textures": (
        edited(lambda d: d.update(extensionsRequired=["KHR_texture_basisu"])),
        UnsupportedFeature, "KTX2 .Basis Universal.",
    ),
    "specular/glossiness": (
        edited(lambda d: d.update(extensionsRequired=["KHR_materials_pbrSpecularGlossiness"])),
        UnsupportedFeature, "old specular/glossiness",
    ),
    "unknown extension": (
        edited(lambda d: d.update(extensionsRequired=["ACME_portal"])),
        UnsupportedFeature, "the extension ACME_portal",
    ),
    "geometry elsewhere": (
        edited(lambda d: d["buffers"][0].update(uri="../../etc/passwd")),
        ExternalFiles, "geometry is in another file .../../etc/passwd",
    ),
    "two buffers": (
        edited(lambda d: d["buffers"].append({"byteLength": 4})), ExternalFiles, "several files",
    ),
    "a buffer larger than the file": (
        edited(lambda d: d["buffers"][0].update(byteLength=2**40)),
        NotAGlb, "needs 1,099,511,627,776 bytes",
    ),
    "a placeholder as first buffer": (
        edited(
            lambda d: d["buffers"][0].update(
                byteLength=2**40, extensions={"EXT_meshopt_compression": {"fallback": True}}
            )
        ),
        NotAGlb, "needs 1,099,511,627,776 bytes",
    ),
    "a view beyond its buffer": (
        edited(lambda d: d["bufferViews"][1].update(byteOffset=10**9)),
        BrokenModel, "Buffer view 1 ends at byte 1,000,000,048",
    ),
    "a negative offset": (
        edited(lambda d: d["bufferViews"][1].update(byteOffset=-4)),
        BrokenModel, "The offset of buffer view 1 is out of range",
    ),
    "a view of nothing": (
        edited(lambda d: d["bufferViews"][0].update(buffer=7)),
        BrokenModel, "Buffer view 0 refers to buffer 7, but there are only 1",
    ),
    "meshopt bomb": (
        meshopt(count=2**40), BrokenModel, "decodes to more bytes than it has",
    ),
    "meshopt outside": (
        meshopt(byteLength=10**6), BrokenModel, "Buffer view 0 ends at byte 1,000,000",
    ),
    "empty meshopt coding": (
        edited(lambda d: d["bufferViews"][0].update(extensions={"EXT_meshopt_compression": {}})),
        BrokenModel, "Buffer view 0 refers to buffer something",
    ),
    "an accessor beyond its view": (
        edited(lambda d: d["accessors"][0].update(count=5)),
        BrokenModel, "Accessor 0: 5 elements do not fit into the 48 bytes",
    ),
    "a billion vertices from nothing": (
        edited(lambda d: d["accessors"][0].update(count=10**9)),
        ModelTooLarge, "unpacks to 11,444.1 MB",
    ),
    "zeros without end": (
        edited(
            lambda d: d["accessors"].extend(
                [{"componentType": 5126, "type": "MAT4", "count": 2**20}] * 9
            )
        ),
        ModelTooLarge, "unpacks to 512.0 MB or more",
    ),
    "views that overlap twenty thousand times": (
        overlapping_views, ModelTooLarge, "The geometry unpacks to 512",
    ),
    "a type nobody knows": (
        edited(lambda d: d["accessors"][0].update(type="VEC9")), BrokenModel, "unknown type",
    ),
    "a component type that is a list": (
        edited(lambda d: d["accessors"][0].update(componentType=[5126])),
        BrokenModel, "unknown component type",
    ),
    "a count that is text": (
        edited(lambda d: d["accessors"][0].update(count="4")),
        BrokenModel, "The count of accessor 0 is not a whole number",
    ),
    "elements that overlap": (
        edited(lambda d: d["bufferViews"][0].update(byteStride=4)),
        BrokenModel, "The elements of accessor 0 overlap",
    ),
    "sparse beyond the end": (
        with_sparse(200), BrokenModel, "Accessor 0 replaces an element it does not have",
    ),
    "an image bomb": (
        with_image(png_that_claims(40_000, 40_000)),
        UnusableImage, 'Image 0 ."Evil". is 40,000 × 40,000 pixels large',
    ),
    "an image without pixels": (
        with_image(png_that_claims(0, 10)), UnusableImage, "has no pixels",
    ),
    "an SVG": (
        with_image(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
        UnusableImage, "is not a PNG, JPEG, WebP or AVIF",
    ),
    "a JPEG that never begins": (
        with_image(jpeg_without_end(), "image/jpeg"), UnusableImage, "is not a PNG, JPEG",
    ),
    "a KTX2 image": (
        with_image(b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(64), "image/ktx2"),
        UnsupportedFeature, "is a KTX2 texture",
    ),
    "a picture on the network": (
        edited(lambda d: d.update(images=[{"uri": "http://169.254.169.254/latest"}])),
        ExternalFiles, "Image 0 is not in the file but at 'http://169.254.169.254",
    ),
    "a picture on the disk": (
        edited(lambda d: d.update(images=[{"uri": "../../../etc/passwd"}])),
        ExternalFiles, "is not in the file but at",
    ),
    "broken base64": (
        edited(lambda d: d.update(images=[{"uri": "data:image/png;base64,!!!"}])),
        UnusableImage, "is not valid base64",
    ),
    "two hundred images": (
        edited(lambda d: d.update(images=[{"uri": DOT}] * 200)),
        ModelTooLarge, "has 200 images",
    ),
    "a texture without image": (
        edited(lambda d: d.update(textures=[{"source": 3}])),
        BrokenModel, "Texture 0 refers to image 3, but there are only 0",
    ),
    "a material without texture": (
        edited(lambda d: d["materials"][0].update(normalTexture={"index": 9})),
        BrokenModel, 'Material 0 ."Paint". refers to texture 9',
    ),
    "an extension that is no object": (
        edited(lambda d: d["materials"][0].update(extensions=[1])),
        BrokenModel, '"extensions" of material 0 ."Paint". should be an object',
    ),
    "a variant without name": (
        edited(lambda d: d.update(extensions={"KHR_materials_variants": {"variants": [{}]}})),
        BrokenModel, "Variant 0 has no name",
    ),
    "twin variants": (
        edited(
            lambda d: d.update(
                extensions={"KHR_materials_variants": {"variants": [{"name": "a"}, {"name": "a"}]}}
            )
        ),
        BrokenModel, "Two variants of the model have the same name",
    ),
    "a mapping to nowhere": (
        edited(
            lambda d: d["meshes"][0]["primitives"][0].update(
                extensions={"KHR_materials_variants": {"mappings": [{"material": 99}]}}
            )
        ),
        BrokenModel, "Part 0 of mesh 0 refers to material 99",
    ),
    "an empty mesh": (
        edited(lambda d: d["meshes"][0].update(primitives=[])), BrokenModel, "Mesh 0 is empty",
    ),
    "no positions": (
        edited(lambda d: d["meshes"][0]["primitives"][0]["attributes"].pop("POSITION")),
        BrokenModel, "Part 0 of mesh 0 has no positions",
    ),
    "positions in two dimensions": (
        edited(lambda d: d["accessors"][0].update(type="VEC2", min=[0, 0], max=[2, 1])),
        BrokenModel, "of the wrong type",
    ),
    "fewer normals than vertices": (
        edited(lambda d: d["accessors"][1].update(count=3)),
        BrokenModel, "not every vertex has its NORMAL",
    ),
    "indices that are floats": (
        edited(lambda d: d["meshes"][0]["primitives"][0].update(indices=0)),
        BrokenModel, "The indices of part 0 of mesh 0 are not whole numbers",
    ),
    "an index that is true": (
        edited(lambda d: d["meshes"][0]["primitives"][0].update(indices=True)),
        BrokenModel, "Part 0 of mesh 0 refers to accessor",
    ),
    "an index beyond the vertices": (
        with_index(60_000), BrokenModel, "uses vertex 60,000, but has only 4",
    ),
    "positions that are not numbers": (
        with_positions(lambda p: p.fill(np.nan)), BrokenModel, "numbers that are not finite",
    ),
    "positions at infinity": (
        with_positions(lambda p: p.fill(-np.inf)), BrokenModel, "numbers that are not finite",
    ),
    "positions beyond the moon": (
        with_positions(lambda p: p.fill(4e8)), ModelTooLarge, "reaches 400,000,000 metres",
    ),
    "a circle of nodes": (
        edited(lambda d: d.update(nodes=[{"children": [1]}, {"children": [0]}])),
        BrokenModel, "goes round in circles",
    ),
    "a node inside itself": (
        edited(lambda d: d["nodes"].append({"children": [1]})), BrokenModel, "round in circles",
    ),
    "two parents": (
        edited(lambda d: d.update(nodes=[{}, {"children": [0]}, {"children": [0]}])),
        BrokenModel, "Node 0 has two parents",
    ),
    "a tower of nodes": (
        edited(lambda d: d.update(nodes=[{"children": [i + 1]} for i in range(40_000)] + [{}])),
        BrokenModel, "nested over 200 deep",
    ),
    "a matrix of text": (
        edited(lambda d: d["nodes"][0].update(matrix=["1"] * 16)),
        BrokenModel, "should be 16 plain numbers",
    ),
    "a skin without matrices": (
        edited(lambda d: d.update(skins=[{"joints": [0], "inverseBindMatrices": 0}])),
        BrokenModel, "does not have a matrix for each joint",
    ),
    "an animation of nothing": (
        edited(
            lambda d: d.update(
                animations=[{"samplers": [], "channels": [{"sampler": 0, "target": {}}]}]
            )
        ),
        BrokenModel, "Animation 0 refers to sampler 0, but there are only 0",
    ),
    "a hundred million triangles": (
        many_instances(nodes=40_000, triangles=2_500),
        ModelTooLarge, "draws 100,000,000 triangles",
    ),
    "instances without end": (
        edited(
            lambda d: (
                d["accessors"].append({"componentType": 5126, "type": "VEC3", "count": 10**7}),
                d["nodes"][0].update(
                    extensions={"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 4}}}
                ),
            )
        ),
        ModelTooLarge, "repeats its parts 10,000,000 times",
    ),
    "vertices that no triangle uses, again and again": (
        many_unused_vertices, ModelTooLarge, "has 20,000,000 vertices",
    ),
    "Draco beside a fallback that is not there": (
        edited(
            lambda d: d["meshes"][0]["primitives"][0].update(
                extensions={"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {}}}
            )
        ),
        DracoCompressed, "Draco-compressed",
    ),
    "everything in one point": (
        with_positions(lambda p: p.fill(1)), NothingToShow, "all its points are in one place",
    ),
    "nodes that scale to infinity": (
        edited(
            lambda d: d.update(
                nodes=[{"mesh": 0, "scale": [1e30] * 3}]
                + [{"children": [i], "scale": [1e30] * 3} for i in range(12)],
                scenes=[{"nodes": [12]}],
            )
        ),
        BrokenModel, "out of every bound",
    ),
    "no scene": (edited(lambda d: d.pop("scenes")), NothingToShow, "The file has no scene"),
    "an empty scene": (
        edited(lambda d: d.update(scenes=[{"nodes": []}])), NothingToShow, "no visible surface",
    ),
    "only lines": (
        edited(lambda d: d["meshes"][0]["primitives"][0].update(mode=1)),
        NothingToShow, "no visible surface",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_at_once_in_its_own_words(kind: str) -> None:
    build, refusal, message = HOSTILE[kind]
    data = build()
    began = time.process_time()
    with pytest.raises(refusal, match=message) as refused:
        preflight.check(data)
    assert time.process_time() - began < 1.0
    assert refused.value.problem != refused.value.advice
    assert refused.value.status == 422


def test_every_kind_of_refusal_says_something_of_its_own() -> None:
    said = set()
    for build, _, _ in HOSTILE.values():
        with pytest.raises(ModelRefused) as refused:
            preflight.check(build())
        said.add(str(refused.value))
    assert len(said) >= len(HOSTILE) - 12


def test_a_sound_model_passes_and_comes_back_as_it_is() -> None:
    data = textured_quad().glb()
    assert preflight.check(data) == glb.read(data)


def test_limits_are_settings() -> None:
    strict = replace(preflight.Limits(), triangles=1)
    with pytest.raises(ModelTooLarge, match="draws 2 triangles; up to 1"):
        preflight.check(plain_quad().glb(), strict)


def test_normals_of_degenerate_triangles_may_be_nan() -> None:
    scene = plain_quad()
    scene.binary[48:60] = np.full(3, np.nan, "<f4").tobytes()
    preflight.check(scene.glb())


NUMBERS = [True, False, -1, 0, 1, 3, 10**6, 2**53, 2**70, 0.5, 1e30]
OTHERS: list[Any] = [
    None,
    "",
    "x",
    "POSITION",
    [],
    {},
    [0],
    [1, 2, 3],
    [{}],
    [[]],
    {"index": 0},
    {"a": [1]},
]
VALUES = st.sampled_from([*NUMBERS, *OTHERS])


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a document, as the keys that lead there."""
    found = [before] if before else []
    entries: dict[Any, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        entries = dict(enumerate(value))
    for key, inner in entries.items():
        found += paths(inner, (*before, key))
    return found


RICH = textured_quad(16)
RICH.document["skins"] = [{"joints": [0]}]
RICH.document["animations"] = [
    {
        "samplers": [{"input": 3, "output": 3}],
        "channels": [{"sampler": 0, "target": {"node": 0, "path": "translation"}}],
    }
]
PATHS = paths(RICH.document)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_any_damage_is_refused_or_harmless(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """Whatever stands where, the only error is a refusal; and what passes can be unpacked."""
    document = json.loads(json.dumps(RICH.document))
    for path, value in changes:
        try:
            parent = first(document, *path[:-1])
            parent[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    data = with_json(RICH.glb(), json.dumps(document).encode())
    try:
        checked, binary = preflight.check(data)
    except ModelRefused:
        return
    glb.pack(glb.unpack(checked, binary))


@pytest.mark.parametrize("path", sorted(models_folder().glob("*.glb")), ids=lambda p: p.stem)
def test_no_real_model_is_refused_but_for_draco(path: Path) -> None:
    if path.stem in DRACO:
        with pytest.raises(DracoCompressed):
            preflight.check(path.read_bytes())
    else:
        preflight.check(path.read_bytes())
