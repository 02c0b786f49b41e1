"""The manifest: what the catalogue stores and the viewer reads."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from vitrina.models3d.model import Level, Manifest, Poster, from_plain, to_plain, viewer_json

CHAIR = Manifest(
    source_sha256="ab" * 32,
    pipeline="1",
    tier="full",
    levels=(Level("full", "models/aa.glb", size_bytes=200, stored_bytes=150, triangles=12),),
    posters=(
        Poster("", "posters/bb.webp", 1024, 768, 3000),
        Poster("walnut", "posters/cc.webp", 1024, 768, 3100),
    ),
    variants=("oak", "walnut"),
    bounds_min_m=(-0.25, 0.0, -0.5),
    bounds_max_m=(0.25, 0.9, 0.5),
    animations=0,
)


def test_a_manifest_survives_json() -> None:
    assert from_plain(json.loads(json.dumps(to_plain(CHAIR)))) == CHAIR


def test_a_manifest_survives_a_store_that_keeps_numbers_as_decimals() -> None:
    kept = json.loads(json.dumps(to_plain(CHAIR)), parse_float=Decimal, parse_int=Decimal)
    assert from_plain(kept) == CHAIR


def test_the_viewer_gets_addresses_instead_of_keys() -> None:
    assert viewer_json(CHAIR, lambda key: f"/assets/{key}") == {
        "version": 1,
        "tier": "full",
        "levels": [{"name": "full", "url": "/assets/models/aa.glb", "bytes": 200, "triangles": 12}],
        "variants": ["oak", "walnut"],
        "posters": {"": "/assets/posters/bb.webp", "walnut": "/assets/posters/cc.webp"},
        "bounds": {"min": [-0.25, 0.0, -0.5], "max": [0.25, 0.9, 0.5]},
    }


def without(name: str) -> dict[str, Any]:
    plain = to_plain(CHAIR)
    del plain[name]
    return plain


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ([], "manifest: expected an object, found list"),
        (None, "manifest: expected an object, found nothing"),
        (without("variants"), "manifest.variants: missing"),
        (to_plain(CHAIR) | {"version": 2}, "manifest.version: this code reads 1"),
        (to_plain(CHAIR) | {"tier": "best"}, "manifest.tier: expected one of"),
        (to_plain(replace(CHAIR, levels=())), "manifest.levels: a model without any level"),
        (to_plain(CHAIR) | {"levels": ["full"]}, r"manifest.levels\[0\]: expected an object"),
        (to_plain(CHAIR) | {"animations": -1}, "manifest.animations: expected a whole number"),
        (to_plain(CHAIR) | {"animations": True}, "manifest.animations: expected a whole number"),
        (to_plain(CHAIR) | {"animations": 0.5}, "manifest.animations: expected a whole number"),
        (to_plain(CHAIR) | {"bounds_min_m": [0, 0]}, "manifest.bounds_min_m: expected three"),
        (
            to_plain(CHAIR) | {"bounds_max_m": [0, float("nan"), 0]},
            "manifest.bounds_max_m: expected three numbers",
        ),
        (to_plain(CHAIR) | {"variants": ["oak", 3]}, "manifest.variants: expected a list of texts"),
        (to_plain(CHAIR) | {"pipeline": 1}, "manifest.pipeline: expected a text, found int"),
    ],
)
def test_a_damaged_manifest_says_where(plain: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_plain(plain)
