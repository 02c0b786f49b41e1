"""The drawing of a product's size."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.catalogue.model import Dimensions
from vitrina.storefront.drawing import DOOR, HEIGHT, SHEET, WIDTH, centimetres, draw

metres = st.floats(0.02, 4.0)
_STEP = re.compile(r"([MlhvZ])([^MlhvZ]*)")


def points(path: str) -> list[tuple[float, float]]:
    """Where the pen goes."""
    x = y = 0.0
    found = []
    for command, text in _STEP.findall(path):
        numbers = [float(number) for number in text.split()]
        match command, numbers:
            case "M", [x, y]:
                pass
            case "l", [dx, dy]:
                x, y = x + dx, y + dy
            case "h", [dx]:
                x += dx
            case "v", [dy]:
                y += dy
            case "Z", []:
                continue
            case _:
                raise AssertionError(f"{command}{text}")
        found.append((x, y))
    return found


@given(metres, metres, metres)
def test_everything_stays_on_the_sheet(width: float, height: float, depth: float) -> None:
    drawing = draw(Dimensions(width, height, depth))

    for path in (drawing.faces, drawing.hidden, drawing.measures, drawing.beside):
        for x, y in points(path):
            assert -0.5 <= x <= WIDTH + 0.5
            assert -0.5 <= y <= HEIGHT + 0.5
    for label in (drawing.width_at, drawing.height_at, drawing.depth_at, drawing.beside_at):
        assert 0 <= label.x <= WIDTH
        assert 0 <= label.y <= HEIGHT


@given(metres, metres, metres)
def test_box_and_familiar_thing_have_one_scale(width: float, height: float, depth: float) -> None:
    drawing = draw(Dimensions(width, height, depth))
    familiar = SHEET if drawing.beside_name == SHEET.name else DOOR

    (left, top), (right, _), (_, bottom), *_ = points(drawing.faces)
    (there, over), (across, _), (_, under), *_ = points(drawing.beside)

    scale = (under - over) / familiar.height_m
    assert across - there == pytest.approx(familiar.width_m * scale, abs=0.2)
    assert right - left == pytest.approx(width * scale, abs=0.2)
    assert bottom - top == pytest.approx(height * scale, abs=0.2)
    assert under == pytest.approx(bottom, abs=0.15), "both stand on the floor"


def test_small_things_are_measured_against_paper_and_large_ones_against_a_door() -> None:
    assert draw(Dimensions(0.08, 0.1, 0.12)).beside_name == "A4 sheet"
    assert draw(Dimensions(2.1, 0.8, 0.9)).beside_name == "door"


def test_words_say_what_the_drawing_shows() -> None:
    words = draw(Dimensions(0.48, 0.8, 0.52)).words

    assert words == (
        "Width 48 cm, height 80 cm, depth 52 cm, drawn to scale beside a door of 86 cm by 198 cm."
    )


@pytest.mark.parametrize(
    ("metres", "text"),
    [(0.48, "48 cm"), (0.084, "8.4 cm"), (0.08, "8 cm"), (0.0996, "10 cm"), (1.985, "198 cm")],
)
def test_metres_become_centimetres_people_would_say(metres: float, text: str) -> None:
    assert centimetres(metres) == text
