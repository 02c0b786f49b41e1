"""Pictures by the viewer's own code, in a real headless Chromium."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vitrina.models3d import glb
from vitrina.models3d.pictures import (
    ChromiumMissing,
    ModelNotDrawable,
    Photographer,
    PicturesUnavailable,
    View,
    find_chromium,
    render_posters,
    render_views,
)

from .builders import Scene

SIZE_PX = 256
VELVETS = ("Mango Velvet", "Peacock Velvet")
# A shadow covers less than this, a product more.
SOLID = 0.9


@pytest.fixture(scope="module")
def photographer() -> Iterator[Photographer]:
    try:
        chromium = find_chromium()
    except ChromiumMissing as error:
        pytest.skip(str(error))
    with Photographer(chromium) as photographer:
        yield photographer


def decoded(picture: bytes) -> NDArray[np.float64]:
    """Red, green, blue and coverage from 0 to 1, rows from the top."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA")) / 255


def extent(picture: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the product as shares of the picture."""
    rows, columns = np.nonzero(picture[..., 3] > SOLID)
    side = picture.shape[0]
    return (
        columns.min() / side,
        rows.min() / side,
        (columns.max() + 1) / side,
        (rows.max() + 1) / side,
    )


def block(width_m: float, height_m: float, depth_m: float) -> bytes:
    """A white block whose front, +Z, is red."""
    scene = Scene()
    corners = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (0, 1) for z in (-0.5, 0.5)])
    sides = {
        (-1, 0, 0): (0, 1, 3, 2),
        (1, 0, 0): (4, 6, 7, 5),
        (0, -1, 0): (0, 4, 5, 1),
        (0, 1, 0): (2, 3, 7, 6),
        (0, 0, -1): (0, 2, 6, 4),
        (0, 0, 1): (1, 5, 7, 3),
    }
    scene.document["materials"] = [
        {"pbrMetallicRoughness": {"baseColorFactor": colour, "metallicFactor": 0}}
        for colour in ([1, 1, 1, 1], [1, 0, 0, 1])
    ]
    for normal, side in sides.items():
        points = (corners[list(side)] * [width_m, height_m, depth_m]).astype("<f4")
        attributes = {
            "POSITION": scene.accessor(
                points, "VEC3", min=points.min(0).tolist(), max=points.max(0).tolist()
            ),
            "NORMAL": scene.accessor(np.array([normal] * 4, "<f4"), "VEC3"),
        }
        indices = scene.accessor(np.array([0, 1, 2, 0, 2, 3], "<u2"), "SCALAR")
        primitive: dict[str, Any] = {"attributes": attributes, "indices": indices}
        primitive["material"] = int(normal == (0, 0, 1))
        scene.document["meshes"][0]["primitives"].append(primitive)
    for unused in ("textures", "images"):
        del scene.document[unused]
    return glb.write(scene.document, bytes(scene.binary))


@pytest.mark.parametrize(
    "size_m",
    [(1, 1, 1), (3, 0.2, 0.2), (0.1, 2, 0.1), (0.2, 0.1, 3), (2, 0.02, 2), (0.01, 0.01, 0.01)],
)
def test_a_product_of_any_shape_fills_the_picture_and_stays_inside(
    photographer: Photographer, size_m: tuple[float, float, float]
) -> None:
    model = block(*size_m)
    poster = decoded(photographer.posters(model, size_px=SIZE_PX)[""])
    left, top, right, bottom = extent(poster)
    assert max(right - left, bottom - top) == pytest.approx(0.85, abs=0.02)
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.01)
    assert (top + bottom) / 2 == pytest.approx(0.5, abs=0.01)

    around = [
        View(azimuth, elevation) for azimuth in range(0, 360, 45) for elevation in (0, 40, 85)
    ]
    for view, picture in zip(
        around, photographer.views(model, around, size_px=SIZE_PX), strict=True
    ):
        left, top, right, bottom = extent(decoded(picture))
        assert min(left, top) > 0.01 and max(right, bottom) < 0.99, view


def test_a_poster_has_no_background_and_a_soft_shadow(photographer: Photographer) -> None:
    # As PNG: WebP stores the colour of transparent places only roughly.
    poster = decoded(photographer.views(block(1, 1, 1), [View()], size_px=SIZE_PX)[0])
    coverage = poster[..., 3]
    assert np.all(coverage[[0, 0, -1, -1], [0, -1, 0, -1]] == 0)
    shadow = (coverage > 0.02) & (coverage < SOLID)
    assert shadow.mean() > 0.01
    # Under the middle of the product, away from its slanting edges.
    place = np.arange(SIZE_PX)
    lowest = SIZE_PX - 1 - np.argmax(coverage[::-1] > SOLID, axis=0)
    below = shadow & (place[:, None] > lowest + 2) & (abs(place / SIZE_PX - 0.5) < 0.3)
    assert below.any()
    assert poster[below][:, :3].max() == 0
    # Nothing of it is cut off by the picture's edge.
    edge = np.concatenate([coverage[0], coverage[-1], coverage[:, 0], coverage[:, -1]])
    assert edge.max() < 0.02


def test_white_stays_white_and_grey_has_no_tint(photographer: Photographer) -> None:
    view = View(azimuth_deg=120)  # away from the red front
    picture = decoded(photographer.views(block(1, 1, 1), [view], size_px=SIZE_PX)[0])
    white = picture[picture[..., 3] == 1][:, :3]
    assert np.ptp(white, axis=1).max() < 0.01
    assert 0.7 < np.median(white) < 0.99
    assert (white > 0.998).mean() < 0.01  # nothing is blown out


def test_azimuth_zero_looks_at_the_front(photographer: Photographer) -> None:
    views = [View(0, 0), View(90, 0), View(180, 0)]
    front, side, back = (
        decoded(picture)[SIZE_PX // 2, SIZE_PX // 2]
        for picture in photographer.views(block(1, 1, 1), views, size_px=SIZE_PX)
    )
    assert front[0] > 2 * front[1]
    assert side[0] == pytest.approx(side[1], abs=0.02)
    assert back[0] == pytest.approx(back[1], abs=0.02)


def test_a_closer_view_shows_the_product_larger(photographer: Photographer) -> None:
    far, near = (
        extent(decoded(picture))
        for picture in photographer.views(
            block(1, 1, 1), [View(zoom=1.4), View(zoom=1.1)], size_px=SIZE_PX
        )
    )
    assert near[2] - near[0] > 1.2 * (far[2] - far[0])


def test_each_finish_has_its_own_poster(photographer: Photographer, models: Path) -> None:
    chair = (models / "SheenChair.glb").read_bytes()
    posters = photographer.posters(chair, VELVETS, size_px=SIZE_PX)
    assert list(posters) == ["", *VELVETS]
    assert all(poster[:4] == b"RIFF" and poster[8:12] == b"WEBP" for poster in posters.values())
    mango, peacock = (decoded(posters[name]) for name in VELVETS)
    assert np.abs(mango - peacock)[..., :3].mean() > 0.02
    assert np.allclose(mango, decoded(posters[""]), atol=1 / 255)


def test_a_finish_nobody_knows_is_the_models_own_look(
    photographer: Photographer, models: Path
) -> None:
    chair = (models / "SheenChair.glb").read_bytes()
    posters = photographer.posters(chair, ["no such"], size_px=SIZE_PX)
    assert posters["no such"] == posters[""]


def test_the_same_model_gives_the_same_bytes(photographer: Photographer) -> None:
    model = block(1, 2, 1)
    assert photographer.posters(model, size_px=SIZE_PX) == photographer.posters(
        model, size_px=SIZE_PX
    )


def test_one_browser_serves_many_threads(photographer: Photographer) -> None:
    shapes = [(1, 0.2, 1), (0.2, 1, 0.2), (1, 1, 1)]
    with ThreadPoolExecutor(3) as threads:
        views = list(
            threads.map(
                lambda shape: photographer.views(block(*shape), [View(0, 0)], size_px=SIZE_PX),
                shapes,
            )
        )
    heights = []
    for (picture,) in views:
        left, top, right, bottom = extent(decoded(picture))
        heights.append((bottom - top) / (right - left))
    assert heights == [
        pytest.approx(0.2, rel=0.15),
        pytest.approx(5, rel=0.15),
        pytest.approx(1, rel=0.1),
    ]


@pytest.mark.parametrize("model", [b"", b"solid cube\n", b"glTF\x02\0\0\0\xff\xff\0\0"])
def test_what_is_no_model_is_refused_and_the_next_one_is_drawn(
    photographer: Photographer, model: bytes
) -> None:
    with pytest.raises(ModelNotDrawable):
        photographer.posters(model, size_px=SIZE_PX)
    assert photographer.posters(block(1, 1, 1), size_px=SIZE_PX)


def test_a_size_out_of_range_is_refused(photographer: Photographer) -> None:
    for size_px in (0, 4097):
        with pytest.raises(ValueError, match="size_px"):
            photographer.posters(b"", size_px=size_px)


def test_taking_too_long_is_an_error_and_leaves_nothing_running(
    photographer: Photographer, models: Path
) -> None:
    with Photographer(find_chromium()) as hurried:
        hurried.posters(block(1, 1, 1), size_px=SIZE_PX)
        browser = hurried._session._process.pid  # type: ignore[union-attr]
        with pytest.raises(PicturesUnavailable, match=r"within 0 s"):
            hurried.posters((models / "Mixer.glb").read_bytes(), timeout_s=0.01)
        assert not process_exists(browser)
        assert hurried.posters(block(1, 1, 1), size_px=SIZE_PX)


def test_a_browser_that_dies_is_started_anew(photographer: Photographer) -> None:
    with Photographer(find_chromium()) as photographer:
        photographer.posters(block(1, 1, 1), size_px=SIZE_PX)
        os.killpg(photographer._session._process.pid, signal.SIGKILL)  # type: ignore[union-attr]
        with pytest.raises(PicturesUnavailable, match="ended with status"):
            photographer.posters(block(1, 1, 1), size_px=SIZE_PX)
        assert photographer.posters(block(1, 1, 1), size_px=SIZE_PX)


def test_nothing_stays_behind(photographer: Photographer) -> None:
    script = (
        "import sys; from vitrina.models3d.pictures import render_posters;"
        "render_posters(sys.stdin.buffer.read(), size_px=64)"
    )
    with TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-c", script],
            input=block(1, 1, 1),
            env={**os.environ, "TMPDIR": folder},
            timeout=120,
            check=True,
        )
        assert list(Path(folder).iterdir()) == []


def test_the_functions_for_one_model_give_the_same_pictures(photographer: Photographer) -> None:
    model = block(1, 1, 1)
    assert render_posters(model, size_px=SIZE_PX) == photographer.posters(model, size_px=SIZE_PX)
    view = [View(200, 30)]
    assert render_views(model, view, size_px=SIZE_PX) == photographer.views(
        model, view, size_px=SIZE_PX
    )


def test_a_program_that_is_no_browser_says_so(tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(PicturesUnavailable, match=r"status 3\nit is broken"):
        render_posters(block(1, 1, 1), chromium=program)


def test_without_chromium_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.delenv("VITRINA_CHROMIUM", raising=False)
    with pytest.raises(ChromiumMissing, match=r"apt-get install chromium.*playwright install"):
        find_chromium()
    monkeypatch.setenv("VITRINA_CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(ChromiumMissing, match=r"names .*none, which is no file"):
        find_chromium()


def test_chromium_is_found_by_name_then_on_the_path_then_in_playwrights_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(path: Path) -> Path:
        path.parent.mkdir(parents=True)
        path.touch()
        path.chmod(0o755)
        return path

    named = program(tmp_path / "named" / "browser")
    on_path = program(tmp_path / "bin" / "google-chrome")
    cached = program(tmp_path / "cache" / "chromium-1234" / "chrome-linux64" / "chrome")
    monkeypatch.setenv("VITRINA_CHROMIUM", str(named))
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "cache"))
    assert find_chromium() == named
    monkeypatch.delenv("VITRINA_CHROMIUM")
    assert find_chromium() == on_path
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() == cached


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
