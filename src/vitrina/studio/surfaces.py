"""Procedural surfaces: what wood, clay, cloth, stone and metal look like from close up.

Each function paints one tile that repeats without a seam and knows its real size. They are
painted in sRGB, where steps look even; heights are metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from vitrina.studio.material import Skin, Texture, normal_map, picture, rough_map
from vitrina.studio.mesh import Floats
from vitrina.studio.noise import (
    Gradient,
    Random,
    blurred,
    cells,
    clouds,
    colour,
    grid,
    mix,
    slopes,
    step,
)

PLANK_M = (0.32, 1.28)  # across and along the grain


@dataclass(frozen=True)
class Timber:
    """How a species looks once planed and oiled."""

    early: str  # wood grown in spring
    late: str  # the darker line that closes a year
    pore: str
    rings: int  # years across one tile
    swirl: float  # how far rings wander: cathedrals when large
    contrast: float  # of the late wood
    pores: float  # density, 0..1
    flecks: float  # medullary rays, 0..1
    tint: str  # what patches of the board lean towards
    gloss: float  # mean roughness


def wood(rng: Random, timber: Timber, *, height_px: int = 1024, width_px: int = 512) -> Skin:
    """Flat-sawn timber, the grain running along v."""
    u, v = grid(height_px, width_px)
    wander = Gradient(rng, 2, 1)(u, v) + 0.45 * Gradient(rng, 3, 1)(u, v)
    wander = wander + 0.14 * Gradient(rng, 6, 3)(u, v) + 0.03 * Gradient(rng, 17, 6)(u, v)
    jitter = 0.10 * Gradient(rng, 48, 10)(u, v) + 0.05 * Gradient(rng, 110, 24)(u, v)
    phase = timber.rings * u + timber.swirl * wander + jitter
    # No two years are alike: some lines are strong, many are hardly there.
    year = np.floor(phase)
    season = phase - year
    luck = rng.random(512)
    strength = 0.25 + 0.75 * luck[year.astype(int) % timber.rings]
    line = step(0.30, 0.80, season) * (1 - step(0.84, 0.99, season))

    fibre = clouds(rng, u, v, 128, 4, octaves=2, gain=0.9)
    streak = clouds(rng, u, v, 20, 1, octaves=4, gain=0.65)
    patch = clouds(rng, u, v, 3, 2, octaves=2)
    late = line * strength * (0.72 + 0.30 * fibre)

    pore_noise = Gradient(rng, 256, 44)(u, v) + 0.6 * Gradient(rng, 171, 70)(u, v)
    spring = 1 - step(0.10, 0.60, season)
    pore = step(0.35, 0.95, pore_noise) * (0.20 + 0.80 * spring) * timber.pores
    ray = step(0.62, 0.95, Gradient(rng, 64, 60)(u, v)) * timber.flecks

    tone = timber.contrast * late + 0.11 * fibre + 0.15 * streak + 0.10
    base = mix(colour(timber.early), colour(timber.late), np.clip(tone, 0.0, 1.15))
    base = mix(base, colour(timber.tint), np.clip(0.22 + 0.30 * patch, 0.0, 0.6))
    base = mix(base, np.minimum(colour(timber.early) * 1.08, 1.0), 0.45 * ray)
    base = mix(base, colour(timber.pore), 0.55 * pore)

    height = -0.00011 * pore + 0.000012 * fibre - 0.000018 * late
    width, length = PLANK_M
    rough = timber.gloss + 0.05 * streak + 0.18 * pore - 0.06 * late + 0.03 * fibre
    return Skin(
        PLANK_M,
        picture(base),
        normal_map(slopes(height, width_m=width, depth_m=length)),
        rough_map(rough),
    )


@dataclass(frozen=True)
class Glaze:
    """A ceramic finish."""

    body: str  # where the glaze lies thick
    thin: str  # where it runs thin and breaks: rims and ridges
    clay: str  # unglazed foot
    pool: str  # where it gathers
    speckle: str
    speckles: float  # 0..1
    movement: float  # how much the colour drifts over the pot, 0..1
    rough: float


def glaze(
    rng: Random,
    look: Glaze,
    *,
    around_m: float,
    along_m: float,
    rims_m: tuple[float, ...] = (),
    bare_m: tuple[tuple[float, float], ...] = (),
    pools_m: tuple[float, ...] = (),
    height_px: int = 512,
    width_px: int = 512,
) -> Skin:
    """The skin of one pot, laid around it once and along its profile once.

    Args:
        around_m, along_m: size of the pot, to keep speckles round.
        rims_m: distances along the profile where glaze runs thin.
        bare_m: stretches along the profile left unglazed.
        pools_m: distances along the profile where glaze gathers.
    """
    u, v = grid(height_px, width_px)
    along = v * along_m
    squarest = max(1, round(4 * along_m / around_m))
    drift = clouds(rng, u, v, 4, squarest, octaves=4, gain=0.55)
    run = clouds(rng, u, v, 14, max(1, squarest // 2), octaves=3, gain=0.5)
    fine = clouds(rng, u, v, 48, max(2, 12 * squarest), octaves=2)

    def near(place: float, reach: float) -> Floats:
        distance = np.abs(along - place + 0.0022 * run)
        return 1 - step(0.0, reach, distance)

    thin = np.zeros_like(along)
    for place in rims_m:
        thin = np.maximum(thin, near(place, 0.011))
    pool = np.zeros_like(along)
    for place in pools_m:
        pool = np.maximum(pool, near(place, 0.03))

    base = np.broadcast_to(colour(look.body), (*u.shape, 3))
    base = mix(base, colour(look.pool), np.clip(0.75 * pool + look.movement * (0.42 * drift), 0, 1))
    base = mix(
        base, colour(look.thin), np.clip(look.movement * (-0.5 * drift + 0.15 * run), 0, 0.8)
    )
    base = mix(base, colour(look.thin), np.clip(thin * (0.85 + 0.3 * fine), 0, 1))

    down = max(2, round(120 * along_m / around_m))
    near_spot, _, owner = cells(rng, u, v, 120, down)
    chosen = rng.random(120 * down)[owner]
    size = 0.10 + 0.30 * rng.random(120 * down)[owner] ** 3
    spot = (1 - step(0.5 * size, size, near_spot)) * (chosen < look.speckles * 0.55)
    base = mix(base, colour(look.speckle), 0.8 * spot)
    base = base * (1 + 0.018 * fine[..., None])

    bare = np.zeros_like(along)
    edge = 0.0016 * run + 0.0004 * fine
    for start, stop in bare_m:
        bare = np.maximum(
            bare,
            step(start - 0.0006, start + 0.0006, along + edge)
            * (1 - step(stop - 0.0006, stop + 0.0006, along + edge)),
        )
    grit = clouds(rng, u, v, 90, max(2, round(90 * along_m / around_m)), octaves=2)
    clay = np.clip(colour(look.clay) * (1 + 0.04 * grit[..., None]), 0, 1)
    base = base + (clay - base) * bare[..., None]

    wave = 0.00010 * clouds(rng, u, v, 7, 2 * squarest, octaves=2) * (1 - bare)
    height = wave + 0.00003 * grit * bare + 0.00022 * (1 - bare) - 0.00002 * spot
    rough = (look.rough + 0.05 * drift * look.movement + 0.12 * thin) * (1 - bare) + 0.82 * bare
    return Skin(
        (1.0, along_m),
        picture(base),
        normal_map(slopes(height, width_m=around_m, depth_m=along_m)),
        rough_map(np.clip(rough, 0.05, 1.0)),
    )


def woven(
    rng: Random, *, threads: int = 44, tile_m: float = 0.07, twill: int = 1, size_px: int = 512
) -> Skin:
    """Cloth of slubby threads, nearly white, to be dyed by a colour factor.

    Args:
        threads: in each direction, to the tile; even, and a multiple of twill + 1.
        twill: how many threads each one passes over; 1 is plain weave.
    """
    u, v = grid(size_px, size_px)
    wobble = 0.16 * clouds(rng, u, v, 6, 6, octaves=2)
    x, y = u * threads + wobble, v * threads - wobble
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - column, y - row
    repeat = twill + 1
    over = ((column + row) % repeat) < twill if twill > 1 else (column + row) % 2 == 0

    slub = (
        clouds(rng, u, v, threads // 2, 5, octaves=2),
        clouds(rng, u, v, 5, threads // 2, octaves=2),
    )
    dye = rng.normal(0.0, 1.0, threads), rng.normal(0.0, 1.0, threads)

    def thread(across: Floats, along: Floats, fat: Floats) -> Floats:
        crown = np.sqrt(np.clip(1 - ((across - 0.5) / (0.50 + 0.05 * fat)) ** 2, 0, 1))
        arch = np.sin(pi * np.clip(along, 0, 1)) ** 0.7
        return np.asarray(crown * (0.35 + 0.65 * arch))

    warp = thread(fx, fy, slub[0])
    weft = thread(fy, fx, slub[1])
    height = np.where(over, warp, weft)
    strand = clouds(rng, u, v, 256, 60, octaves=1), clouds(rng, u, v, 60, 256, octaves=1)
    twist = np.where(over, strand[0], strand[1])
    shade = np.where(
        over,
        0.024 * dye[0][column % threads] + 0.035 * slub[0],
        0.024 * dye[1][row % threads] + 0.035 * slub[1],
    )
    tone = 0.91 + shade + 0.03 * twist - 0.16 * (1 - height)
    pitch = tile_m / threads
    relief = height * pitch * 0.30 + twist * pitch * 0.02
    return Skin(
        (tile_m, tile_m),
        picture(np.repeat(np.clip(tone, 0, 1)[..., None], 3, axis=2)),
        normal_map(slopes(relief, width_m=tile_m, depth_m=tile_m)),
        rough_map(np.clip(0.92 - 0.06 * height, 0, 1), open_=np.clip(0.72 + 0.28 * height, 0, 1)),
    )


def boucle(rng: Random, *, loops: int = 2600, tile_m: float = 0.11, size_px: int = 512) -> Skin:
    """Looped wool: small curls lying over each other, nearly white."""
    height = np.zeros((size_px, size_px))
    tone = np.full((size_px, size_px), 0.70)
    cell = size_px / tile_m
    reach = 26
    window = np.arange(-reach, reach + 1)
    dx, dy = np.meshgrid(window, window)
    angle = np.arctan2(dy, dx)
    radius = np.sqrt(dx * dx + dy * dy)
    for level in np.sort(rng.random(loops)):
        x, y = rng.integers(0, size_px, 2)
        size, thick = (
            (0.0019 + 0.0012 * rng.random()) * cell,
            (0.00095 + 0.0003 * rng.random()) * cell,
        )
        squash, lean, turn, opening = rng.random(4)
        oval = radius * (1 + (0.15 + 0.35 * squash) * np.cos(2 * (angle - 2 * pi * lean)))
        across = (oval - size) / thick
        crown = np.sqrt(np.clip(1 - across**2, 0, 1))
        # A curl dives under its neighbours at one end.
        dive = 0.5 + 0.5 * np.cos(angle - 2 * pi * turn)
        body = crown * (0.45 + 0.55 * dive) + 1.1 * level
        inside = (crown > 0.02) & (dive > 0.25 * opening)
        rows, columns = (y + window) % size_px, (x + window) % size_px
        place = np.ix_(rows, columns)
        higher = inside & (body > height[place])
        ply = 0.05 * np.sin(angle * 22 + across * 2.4)
        height[place] = np.where(higher, body, height[place])
        tone[place] = np.where(higher, 0.76 + 0.14 * crown + 0.06 * level + ply, tone[place])
    soft = blurred(height, 1)
    deep = np.clip((soft - blurred(height, 7)) * 0.9 + 0.75, 0.35, 1.0)
    return Skin(
        (tile_m, tile_m),
        picture(np.repeat(np.clip(tone * (0.91 + 0.12 * deep), 0, 1)[..., None], 3, axis=2)),
        normal_map(slopes(soft * 0.0011, width_m=tile_m, depth_m=tile_m)),
        rough_map(np.full_like(soft, 0.95), open_=0.75 + 0.25 * deep),
    )


def leather(rng: Random, *, tile_m: float = 0.42, size_px: int = 512) -> Skin:
    """Vegetable-tanned hide: fine pebbles, soft creases, nearly white."""
    u, v = grid(size_px, size_px)
    bend = 0.006 * clouds(rng, u, v, 12, 12, octaves=2)
    near, second, owner = cells(rng, u + bend, v - bend, 132, 132)
    pebble = step(0.0, 0.42, second - near)
    big_near, big_second, _ = cells(rng, u - bend, v + bend, 31, 31)
    crease = step(0.0, 0.10, big_second - big_near)
    mottle = clouds(rng, u, v, 7, 7, octaves=4)
    shade = rng.normal(0.0, 1.0, 132 * 132)[owner]
    height = 0.00006 * pebble + 0.00005 * crease + 0.00001 * shade
    tone = 0.84 + 0.04 * mottle + 0.05 * (pebble - 1) + 0.035 * (crease - 1) + 0.008 * shade
    rough = 0.50 - 0.06 * pebble + 0.04 * mottle
    return Skin(
        (tile_m, tile_m),
        picture(np.repeat(np.clip(tone, 0, 1)[..., None], 3, axis=2)),
        normal_map(slopes(blurred(height, 1), width_m=tile_m, depth_m=tile_m)),
        rough_map(rough),
    )


def terrazzo(
    rng: Random, ground: str, chips: tuple[str, ...], *, tile_m: float = 0.30, size_px: int = 512
) -> Skin:
    """Marble chips of three sizes in coloured cement, ground and polished."""
    u, v = grid(size_px, size_px)
    base = np.broadcast_to(colour(ground), (*u.shape, 3)) * (
        1 + 0.025 * clouds(rng, u, v, 5, 5, octaves=5)[..., None]
    )
    palette = np.stack([colour(code) for code in chips])
    gloss = np.full(u.shape, 0.34)
    for count, share, gap in ((60, 0.45, 0.16), (27, 0.50, 0.12), (12, 0.42, 0.09)):
        bend = 0.12 / count * clouds(rng, u, v, count, count, octaves=2)
        near, second, owner = cells(rng, u + bend, v - bend, count, count)
        kept = rng.random(count * count)[owner] < share
        size = 0.34 + 0.30 * rng.random(count * count)[owner]
        chip = step(gap, gap + 0.03, second - near) * (1 - step(size, size + 0.03, near)) * kept
        tint = palette[rng.integers(0, len(palette), count * count)[owner]]
        cloudy = 1 + 0.07 * clouds(rng, u, v, count, count, octaves=3)[..., None]
        base = base + (np.clip(tint * cloudy, 0, 1) - base) * chip[..., None]
        gloss = gloss + (0.22 - gloss) * chip
    return Skin((tile_m, tile_m), picture(base), None, rough_map(gloss))


def travertine(
    rng: Random, light: str, dark: str, hole: str, *, tile_m: float = 0.48, size_px: int = 512
) -> Skin:
    """Honed stone laid down in beds, some of its holes left open."""
    u, v = grid(size_px, size_px)
    sway = 0.05 * Gradient(rng, 2, 2)(u, v) + 0.012 * clouds(rng, u, v, 8, 8, octaves=3)
    beds = clouds(rng, np.zeros_like(u), v + sway, 1, 11, octaves=4, gain=0.62)
    grain = clouds(rng, u, v, 40, 60, octaves=3, gain=0.6)
    base = mix(colour(light), colour(dark), np.clip(0.42 + 0.42 * beds + 0.08 * grain, 0, 1))
    where = clouds(rng, u, v + sway, 26, 70, octaves=2)
    pit = step(0.72, 0.98, where) * step(-0.1, 0.5, beds)
    base = mix(base, colour(hole), 0.65 * pit)
    height = -0.0006 * blurred(pit, 1)
    return Skin(
        (tile_m, tile_m),
        picture(base),
        normal_map(slopes(height, width_m=tile_m, depth_m=tile_m)),
        rough_map(np.clip(0.42 + 0.05 * grain + 0.4 * pit, 0, 1)),
    )


def brushed(rng: Random, *, tile_m: float = 0.20, size_px: int = 256) -> Skin:
    """Metal brushed along v, colour left to the factor. Metal and roughness factors stay as set."""
    u, v = grid(size_px, size_px)
    line = clouds(rng, u, v, 64, 2, octaves=2, gain=0.8)
    patch = clouds(rng, u, v, 3, 2, octaves=3)
    rough = np.clip(0.80 + 0.14 * line + 0.10 * patch, 0.3, 1.0)
    return Skin((tile_m, tile_m), None, None, rough_map(rough, metal=1.0))


def washi(rng: Random, *, tile_m: float = 0.30, size_px: int = 512, fibres: int = 900) -> Skin:
    """Mulberry paper: long pale fibres lying every way, light seen through."""
    u, v = grid(size_px, size_px)
    cloud = clouds(rng, u, v, 6, 6, octaves=4)
    sheet = 0.86 + 0.035 * cloud
    ink = np.zeros((size_px, size_px))
    for _ in range(fibres):
        x, y, heading, bend = rng.random(4)
        length = (0.010 + 0.05 * rng.random() ** 2) / tile_m * size_px
        s = np.arange(0.0, length, 0.5)
        turn = 2 * pi * heading + (bend - 0.5) * 3.0 * s / length
        px = (x * size_px + np.cumsum(np.cos(turn)) * 0.5).astype(int) % size_px
        py = (y * size_px + np.cumsum(np.sin(turn)) * 0.5).astype(int) % size_px
        ink[py, px] += rng.random() - 0.25
    ink = blurred(ink, 1)
    tone = np.clip(sheet + 0.13 * np.clip(ink, -1, 1.2), 0, 1)
    relief = 0.00006 * ink + 0.00003 * cloud
    white = np.stack([tone, tone * 0.985, tone * 0.95], axis=-1)
    return Skin(
        (tile_m, tile_m),
        picture(white),
        normal_map(slopes(relief, width_m=tile_m, depth_m=tile_m)),
        None,
        glow=picture(white),
    )


def cord(rng: Random, *, strands: int = 44, tile_m: float = 0.18, size_px: int = 512) -> Skin:
    """Twisted paper cord wound side by side along v."""
    u, v = grid(size_px, size_px)
    x = u * strands
    which = np.floor(x).astype(int)
    across = x - which - 0.5
    crown = np.sqrt(np.clip(1 - (across / 0.52) ** 2, 0, 1))
    turns = 52
    twist = np.sin(2 * pi * (v * turns + across * 0.9 + rng.random(strands)[which % strands]))
    dye = rng.normal(0.0, 1.0, strands)[which % strands]
    fleck = clouds(rng, u, v, 60, 60, octaves=2)
    tone = 0.93 + 0.018 * dye + 0.035 * twist + 0.03 * fleck - 0.5 * (1 - crown) ** 1.5
    pitch = tile_m / strands
    relief = crown * pitch * 0.40 + 0.02 * pitch * twist
    return Skin(
        (tile_m, tile_m),
        picture(np.repeat(np.clip(tone, 0, 1)[..., None], 3, axis=2)),
        normal_map(slopes(relief, width_m=tile_m, depth_m=tile_m)),
        rough_map(np.full_like(crown, 0.82), open_=np.clip(0.45 + 0.55 * crown, 0, 1)),
    )


def gradient_glow(stops: Floats, *, height_px: int = 64) -> Texture:
    """Light falling off along v, for shades lit from inside."""
    v = (np.arange(height_px) + 0.5) / height_px
    column = np.interp(v, np.linspace(0, 1, len(stops)), stops)
    return picture(np.repeat(np.repeat(column[:, None, None], 8, axis=1), 3, axis=2))
