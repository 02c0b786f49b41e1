"""What the pipeline makes of real models looks like what it was given: rendered, and compared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from vitrina.models3d import glb, scene
from vitrina.models3d.pictures import Photographer, View
from vitrina.models3d.service import prepare

from .builders import decoded

VIEWS = [View(30, 15), View(215, 30), View(40, 20, 0.4)]
SIDE_PX = 384


@pytest.fixture(scope="module")
def photographer(chromium: Path) -> Iterator[Photographer]:
    with Photographer(chromium) as photographer:
        yield photographer


@pytest.mark.parametrize("name", ["Fox", "GlamVelvetSofa", "WickerChair"])
def test_no_eye_tells_a_published_model_from_its_source(
    name: str, models: Path, photographer: Photographer
) -> None:
    """A skin with animations, velvet in five finishes, and a weave cut out by alpha."""
    source = (models / f"{name}.glb").read_bytes()
    small = prepare(source).glb
    finishes = scene.variants(glb.read(source)[0])
    likeness = [
        alike(*pair)
        for finish, views in (("", VIEWS), *((finish, VIEWS[:1]) for finish in finishes[-1:]))
        for pair in zip(
            photographer.views(source, views, variant=finish, size_px=SIDE_PX),
            photographer.views(small, views, variant=finish, size_px=SIDE_PX),
            strict=True,
        )
    ]
    assert np.mean(likeness) >= 0.98
    assert min(likeness) >= 0.96


def test_the_comparison_sees_a_difference(models: Path, photographer: Photographer) -> None:
    source = (models / "GlamVelvetSofa.glb").read_bytes()
    navy, pink = (
        photographer.views(source, VIEWS[:1], variant=finish, size_px=SIDE_PX)[0]
        for finish in ("Navy", "Pale Pink")
    )
    assert alike(navy, navy) == 1
    assert alike(navy, pink) < 0.9


def alike(first: bytes, second: bytes) -> float:
    """Structural similarity of two pictures on white, where either shows the product."""
    one, other = decoded(first), decoded(second)
    shown = (one[..., 3] > 2) | (other[..., 3] > 2)
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        on_white(one),
        on_white(other),
        channel_axis=2,
        data_range=1,
        full=True,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity.mean(axis=2)[shown].mean())


def on_white(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    colour, alpha = pixels[..., :3] / 255.0, pixels[..., 3:] / 255.0
    return np.asarray(colour * alpha + (1 - alpha))
