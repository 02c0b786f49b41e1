"""The workshop's tools, on shapes whose measures are known."""

from math import pi

import numpy as np
import pytest

from vitrina.studio import noise
from vitrina.studio.curves import (
    filleted,
    lengths,
    outward,
    rounded_rectangle,
    smooth,
    smooth_values,
    superellipse,
    thinned,
)
from vitrina.studio.mesh import Mesh
from vitrina.studio.occlusion import open_sky
from vitrina.studio.shapes import board, lathe, loop, rod, round_edge, slab, straight


def sphere(radius: float) -> Mesh:
    angle = np.linspace(-pi / 2, pi / 2, 65)
    return lathe(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1), segments=128)


def test_a_turned_half_circle_is_a_sphere() -> None:
    ball = sphere(0.5)

    assert ball.volume_m3 == pytest.approx(4 / 3 * pi * 0.125, rel=0.005)
    np.testing.assert_allclose(ball.normals, ball.positions / 0.5, atol=0.02)


def test_a_profile_may_run_either_way_and_the_outside_stays_outside() -> None:
    cone = np.array([(0.0, 0.0), (0.1, 0.0), (0.0, 0.3)])

    assert lathe(cone).volume_m3 == pytest.approx(lathe(cone[::-1]).volume_m3, rel=1e-9)
    assert lathe(cone).volume_m3 > 0


def test_a_board_has_its_size_and_loses_only_its_corners() -> None:
    plank = board(0.4, 0.02, 0.1, radius=0.003)

    low, high = plank.bounds_m
    np.testing.assert_allclose(high - low, (0.4, 0.02, 0.1), atol=1e-6)
    assert plank.volume_m3 == pytest.approx(0.4 * 0.02 * 0.1, rel=0.03)
    assert plank.volume_m3 < 0.4 * 0.02 * 0.1


def test_the_faces_of_a_bevelled_board_stay_flat() -> None:
    plank = board(0.4, 0.02, 0.1, radius=0.003)

    top = plank.normals[np.abs(plank.positions[:, 1] - 0.01) < 1e-9]
    assert top[:, 1].min() > 0.95


def test_a_rod_reaches_from_end_to_end_with_rounded_tips() -> None:
    stick = rod(straight((0, 0, 0), (0, 1, 0)), 0.02, end_radius=0.01)

    low, high = stick.bounds_m
    assert (low[1], high[1]) == pytest.approx((0, 1), abs=1e-9)
    at_tip = stick.positions[stick.positions[:, 1] < 1e-9]
    assert np.sqrt((at_tip[:, [0, 2]] ** 2).sum(axis=1)).max() == pytest.approx(0.01, abs=1e-6)


def test_a_tube_through_a_ring_is_a_torus() -> None:
    angle = np.linspace(0, 2 * pi, 97)[:-1]
    ring = np.stack([0.2 * np.sin(angle), np.zeros(96), 0.2 * np.cos(angle)], axis=1)

    assert loop(ring, 0.01, sides=24).volume_m3 == pytest.approx(
        2 * pi**2 * 0.2 * 0.01**2, rel=0.02
    )


def test_a_slab_is_as_thick_as_its_edge_says() -> None:
    disc = slab(superellipse(0.3, 0.3, 2.0, 128), round_edge(0.05, 0.01, 0.004))

    low, high = disc.bounds_m
    assert (low[1], high[1]) == pytest.approx((0.01, 0.05))
    assert disc.volume_m3 == pytest.approx(pi * 0.09 * 0.04, rel=0.01)


def test_mirroring_keeps_the_outside_outside() -> None:
    plank = board(0.4, 0.02, 0.1).moved(x=1.0)

    assert plank.mirrored("x").volume_m3 == pytest.approx(plank.volume_m3, rel=1e-9)


def test_a_fillet_touches_both_legs_and_keeps_its_radius() -> None:
    curve = filleted([(0, 0), (1, 0, 0.2), (1, 1)], step_deg=3)

    distance = np.sqrt(((curve[1:-1] - (0.8, 0.2)) ** 2).sum(axis=1))
    np.testing.assert_allclose(distance, 0.2, atol=1e-9)
    assert lengths(curve)[-1] == pytest.approx(1.6 + 0.2 * pi / 2, rel=1e-3)


def test_a_smooth_curve_passes_through_its_points() -> None:
    points = [(0.0, 0.0), (1.0, 0.5), (2.0, 0.0), (2.2, 1.0)]
    curve = smooth(points, 400)

    for point in points:
        assert np.sqrt(((curve - point) ** 2).sum(axis=1)).min() < 0.01


def test_a_thickness_never_swings_past_its_stops() -> None:
    t = np.linspace(0, 1, 500)
    run = smooth_values([(0, 0.01), (0.5, 0.03), (0.6, 0.03), (1, 0.0)], t)

    assert run.max() == pytest.approx(0.03)
    assert run.min() == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(run[t <= 0.5]) >= -1e-12).all()


def test_thinning_keeps_the_shape_within_its_tolerance() -> None:
    angle = np.linspace(0, pi, 2000)
    arc = 0.1 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    thin = thinned(arc, tolerance_m=1e-4, longest_m=0.05)

    assert len(thin) < 60
    middles = (thin[1:] + thin[:-1]) / 2
    assert (0.1 - np.sqrt((middles**2).sum(axis=1))).max() < 1.2e-4


def test_outlines_know_their_outside() -> None:
    outline = rounded_rectangle(2.0, 1.0, 0.2)

    assert ((outline * outward(outline)).sum(axis=1) > 0).all()


def test_shade_gathers_in_a_bowl_and_not_on_a_ball() -> None:
    ball = sphere(0.1)
    sky = open_sky(ball.positions, ball.normals, ball.positions, ball.triangles)
    assert sky.min() > 0.9

    profile = np.array(
        [(0.0, 0.01), (0.08, 0.01), (0.085, 0.1), (0.09, 0.1), (0.09, 0.0), (0.0, 0.0)]
    )
    cup = lathe(profile, segments=48)
    sky = open_sky(cup.positions, cup.normals, cup.positions, cup.triangles)
    inside = (cup.positions[:, 1] == 0.01) & (cup.normals[:, 1] > 0.3)
    outside = (cup.positions[:, 1] == 0.0) & (cup.normals[:, 1] < -0.3)
    assert sky[inside].mean() < 0.6 < 0.95 < sky[outside].mean()


def test_noise_runs_on_across_its_edges() -> None:
    u, v = noise.grid(64, 64)
    cloud = noise.Gradient(noise.random(1, "edge"), 4, 3)

    np.testing.assert_allclose(cloud(u + 1, v), cloud(u, v), atol=1e-9)
    np.testing.assert_allclose(cloud(u, v + 1), cloud(u, v), atol=1e-9)
    assert 0.2 < cloud(u, v).std() < 0.8


def test_each_named_place_has_its_own_chance_and_keeps_it() -> None:
    first = noise.random(7, "glaze", "vase").random(4)

    np.testing.assert_array_equal(first, noise.random(7, "glaze", "vase").random(4))
    assert (first != noise.random(7, "glaze", "mug").random(4)).any()
    assert (first != noise.random(8, "glaze", "vase").random(4)).any()


def test_a_flat_height_field_has_upright_normals_and_a_slope_leans_back() -> None:
    flat = noise.slopes(np.zeros((8, 8)), width_m=1, depth_m=1)
    np.testing.assert_array_equal(flat[..., 2], 1)

    u, _ = noise.grid(64, 64)
    hill = 0.05 * np.cos(2 * pi * u)
    normals = noise.slopes(hill, width_m=1, depth_m=1)
    assert normals[0, 16, 0] > 0.2  # falling to the right: leaning to the right
    assert normals[0, 48, 0] < -0.2
