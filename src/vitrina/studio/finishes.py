"""The house's materials: named once, used by every product, made when first asked for."""

from __future__ import annotations

from functools import cache

from vitrina.studio import surfaces
from vitrina.studio.material import Material, Skin
from vitrina.studio.noise import linear, random

SEED = 20260
TIMBER = {
    "oak": surfaces.Timber(
        early="#cda77a",
        late="#9c7143",
        pore="#6d4a2b",
        rings=38,
        swirl=6.5,
        contrast=0.55,
        pores=0.75,
        flecks=0.5,
        tint="#b98d5c",
        gloss=0.50,
    ),
    "walnut": surfaces.Timber(
        early="#80583a",
        late="#452b1c",
        pore="#23140d",
        rings=31,
        swirl=7.0,
        contrast=0.70,
        pores=0.6,
        flecks=0.0,
        tint="#5f3f2c",
        gloss=0.46,
    ),
    "ash": surfaces.Timber(
        early="#423d38",
        late="#1c1a18",
        pore="#0c0b0a",
        rings=30,
        swirl=6.5,
        contrast=0.85,
        pores=1.0,
        flecks=0.0,
        tint="#302c29",
        gloss=0.52,
    ),
}


@cache
def timber_skin(species: str) -> Skin:
    return surfaces.wood(random(SEED, "timber", species), TIMBER[species])


@cache
def oak() -> Material:
    return Material("oak", timber_skin("oak"))


@cache
def walnut() -> Material:
    return Material("walnut", timber_skin("walnut"))


@cache
def black_ash() -> Material:
    return Material("black ash", timber_skin("ash"))


@cache
def _metal() -> Skin:
    return surfaces.brushed(random(SEED, "brushed"))


@cache
def brass() -> Material:
    return Material("brass", _metal(), linear("#cfb78c"), metal=1.0, rough=0.34)


@cache
def steel() -> Material:
    return Material("steel", _metal(), linear("#c9cac8"), metal=1.0, rough=0.42)


@cache
def black_metal() -> Material:
    return Material("black metal", _metal(), linear("#232323"), metal=0.0, rough=0.62)


@cache
def dark_bronze() -> Material:
    return Material("dark bronze", _metal(), linear("#4a3a2c"), metal=1.0, rough=0.5)


@cache
def _linen() -> Skin:
    return surfaces.woven(random(SEED, "linen"))


@cache
def linen(name: str, code: str) -> Material:
    return Material(name, _linen(), linear(code))


@cache
def _boucle() -> Skin:
    return surfaces.boucle(random(SEED, "boucle"))


@cache
def boucle(name: str, code: str) -> Material:
    return Material(name, _boucle(), linear(code))


@cache
def _leather() -> Skin:
    return surfaces.leather(random(SEED, "leather"))


@cache
def leather(name: str, code: str) -> Material:
    return Material(name, _leather(), linear(code))


@cache
def _cord() -> Skin:
    return surfaces.cord(random(SEED, "cord"))


@cache
def paper_cord(name: str, code: str) -> Material:
    return Material(name, _cord(), linear(code))


@cache
def lacquer(name: str, code: str) -> Material:
    return Material(name, None, linear(code), rough=0.42)


@cache
def woven_flex() -> Material:
    """Cable covered in dark cotton."""
    return Material("woven flex", None, linear("#2c2a28"), rough=0.9)


@cache
def paper() -> Material:
    """Washi with a lamp behind it."""
    skin = surfaces.washi(random(SEED, "washi"))
    return Material("washi", skin, rough=0.9, glow=(0.62, 0.49, 0.34), double_sided=True)
