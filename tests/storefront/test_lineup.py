"""Things side by side at one scale."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import product
from tests.storefront.conftest import look_of
from vitrina.catalogue.model import Product
from vitrina.storefront import lineup
from vitrina.storefront.lineup import UNITS_PER_M, line_up

metres = st.floats(0.05, 2.5)


def thing(name: str, width_m: float, height_m: float, depth_m: float) -> Product:
    model = replace(look_of(name), bounds_max_m=(width_m, height_m, depth_m))
    return replace(product(name), model=model)


def test_nothing_to_show_is_no_line() -> None:
    assert line_up([product("without-model")]) is None


def test_the_rule_of_the_posters_is_the_viewers_own(root: Path) -> None:
    framing = (root / "frontend/viewer/framing.ts").read_text()

    def number(pattern: str) -> float:
        found = re.search(pattern, framing)
        assert found, pattern
        return float(found[1])

    assert number(r"FIELD_OF_VIEW = ([\d.]+) \* DEGREE") == lineup.FIELD_OF_VIEW_DEG
    assert number(r"HOME: View = \{ azimuth: ([\d.]+) \* DEGREE") == lineup.HOME_AZIMUTH_DEG
    assert number(r"HOME: .*elevation: ([\d.]+) \* DEGREE") == lineup.HOME_ELEVATION_DEG
    assert number(r"const FILL = ([\d.]+);") == lineup.FILL


def test_twice_the_size_is_twice_the_picture() -> None:
    line = line_up([thing("small", 0.4, 0.5, 0.3), thing("large", 0.8, 1.0, 0.6)])

    assert line
    small, large = line.things
    assert large.side == pytest.approx(2 * small.side, rel=0.01)


def test_a_flat_square_is_as_wide_as_its_poster_says() -> None:
    # Seen from 30 degrees to the side, a thin board of 1 m looks cos 30° = 0.87 m wide.
    line = line_up([thing("board", 1.0, 1.0, 0.001)])

    assert line
    assert line.things[0].width == pytest.approx(0.87 * UNITS_PER_M, rel=0.12)


@given(st.lists(st.tuples(metres, metres, metres), min_size=1, max_size=12))
def test_things_stand_beside_each_other_inside_the_drawing(
    sizes: list[tuple[float, float, float]],
) -> None:
    line = line_up(thing(f"thing-{n}", *size) for n, size in enumerate(sizes))

    assert line
    ends = 0.0
    for each in line.things:
        assert each.left >= ends
        ends = each.left + each.width
        # What a poster shows fills 85 % of it, in the middle; how far it reaches up and down is
        # at most that.
        assert each.y + each.side / 2 - 0.43 * each.side <= line.floor_y
        assert each.y + each.side / 2 + 0.43 * each.side >= line.floor_y
    assert ends <= line.width
    assert 0 <= line.tallest_y < line.floor_y < line.height
    assert any(each.slug == f"thing-{_tallest(sizes)}" for each in line.things)


def _tallest(sizes: list[tuple[float, float, float]]) -> int:
    return max(range(len(sizes)), key=lambda n: sizes[n][1])


def test_a_full_line_leaves_out_what_does_not_fit() -> None:
    line = line_up(thing(f"bench-{n}", 2.0, 0.5, 0.4) for n in range(5))

    assert line
    assert len(line.things) < 5
