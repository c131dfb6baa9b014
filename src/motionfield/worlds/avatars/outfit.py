"""What somebody looks like and wears, drawn from a seed."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Colour = tuple[float, float, float]
"""Red, green, blue as screens show them (sRGB), 0 to 1."""
Pattern = Literal["plain", "stripes", "upright", "checks", "logo", "sides"]
Hair = Literal["short", "bob", "shaved"]

_SKINS: Final = (
    (0.93, 0.76, 0.66),
    (0.88, 0.69, 0.56),
    (0.80, 0.60, 0.46),
    (0.68, 0.48, 0.35),
    (0.50, 0.34, 0.25),
    (0.36, 0.24, 0.18),
)
_HAIRS: Final = (
    (0.06, 0.05, 0.05),
    (0.16, 0.10, 0.07),
    (0.30, 0.19, 0.11),
    (0.52, 0.37, 0.21),
    (0.70, 0.56, 0.36),
    (0.45, 0.20, 0.10),
    (0.60, 0.60, 0.60),
)
_CLOTHS: Final = (
    (0.92, 0.92, 0.90),
    (0.12, 0.12, 0.14),
    (0.16, 0.22, 0.42),
    (0.72, 0.14, 0.14),
    (0.16, 0.42, 0.24),
    (0.90, 0.74, 0.20),
    (0.45, 0.62, 0.82),
    (0.50, 0.50, 0.52),
    (0.88, 0.46, 0.18),
    (0.46, 0.22, 0.46),
    (0.72, 0.62, 0.48),
    (0.32, 0.24, 0.18),
    (0.10, 0.44, 0.52),
    (0.86, 0.60, 0.64),
)
_LEAST_CONTRAST: Final = 0.3


@dataclass(frozen=True)
class Cloth:
    """A piece of clothing's looks."""

    colour: Colour
    second: Colour
    pattern: Pattern = "plain"
    repeat_m: float = 0.06
    """Width of a stripe with its gap."""
    offset_m: float = 0.012
    """How far it lies off the skin."""
    flare_m: float = 0.01
    """How much farther at its hem."""


@dataclass(frozen=True)
class Outfit:
    """Skin, hair and clothes. Lengths are shares: 0 at the upper joint, 1 at the lower."""

    skin: Colour
    hair: Colour
    hair_style: Hair
    hair_m: float
    """Thickness of the hair."""
    top: Cloth
    sleeve: float
    """0 to 1: down the upper arm; 1 to 2: down the forearm; below 0: none."""
    top_hem: float
    """How far below the waist (share of the way to the hips)."""
    bottom: Cloth
    leg: float
    """0 to 1: down the thigh; 1 to 2: down the shin."""
    shoe: Cloth
    shoe_height_m: float
    """Upper rim above the ankle."""
    sock: Colour
    sock_height_m: float
    """Upper rim above the ankle."""
    eye: Colour


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Somebody at random; the same generator state gives the same person."""
    skin = _vary(rng, _SKINS[rng.integers(len(_SKINS))], 0.04)
    hair = _HAIRS[0] if skin[0] < 0.6 and rng.random() < 0.8 else _HAIRS[rng.integers(len(_HAIRS))]
    style: Hair = ("short", "short", "bob", "shaved")[rng.integers(4)]
    top = _draw_cloth(rng, skin, ("plain", "plain", "stripes", "upright", "checks", "logo", "logo"))
    bottom = _draw_cloth(rng, skin, ("plain", "plain", "plain", "sides", "checks"))
    long_legs = rng.random() < 0.55
    return Outfit(
        skin=skin,
        hair=_vary(rng, hair, 0.03),
        hair_style=style,
        hair_m=float(rng.uniform(0.008, 0.028)) if style != "shaved" else 0.002,
        top=top,
        sleeve=float(
            rng.choice((-0.2, 0.45, 0.55, 0.7, 1.9, 1.95), p=(0.1, 0.2, 0.2, 0.15, 0.2, 0.15))
        ),
        top_hem=float(rng.uniform(0.4, 1.1)),
        bottom=bottom,
        leg=float(rng.uniform(1.8, 1.95) if long_legs else rng.uniform(0.35, 1.05)),
        shoe=_draw_cloth(rng, skin, ("plain", "sides")),
        shoe_height_m=float(rng.choice((-0.005, 0.02, 0.06))),
        sock=_vary(rng, _CLOTHS[rng.choice((0, 0, 1, 7))], 0.03),
        sock_height_m=float(rng.uniform(0.0, 0.2)),
        eye=_vary(
            rng, ((0.25, 0.16, 0.10), (0.30, 0.42, 0.55), (0.30, 0.38, 0.25))[rng.integers(3)], 0.03
        ),
    )


def _draw_cloth(rng: np.random.Generator, skin: Colour, patterns: tuple[Pattern, ...]) -> Cloth:
    """Colours that are not the skin's: nobody looks undressed."""
    order = [_CLOTHS[at] for at in rng.permutation(len(_CLOTHS))]
    away = [float(np.abs(np.subtract(cloth, skin)).max()) for cloth in order]
    colour, second, *_ = (c for c, far in zip(order, away, strict=True) if far > _LEAST_CONTRAST)
    return Cloth(
        colour=_vary(rng, colour, 0.06),
        second=_vary(rng, second, 0.06),
        pattern=patterns[rng.integers(len(patterns))],
        repeat_m=float(rng.uniform(0.025, 0.11)),
        offset_m=float(rng.uniform(0.006, 0.016)),
        flare_m=float(rng.uniform(0.0, 0.022)),
    )


def _vary(rng: np.random.Generator, colour: Colour, sd: float) -> Colour:
    r, g, b = np.clip(
        np.array(colour) * (1 + sd * rng.standard_normal()) + sd * 0.5 * rng.standard_normal(3),
        0.02,
        0.97,
    )
    return float(r), float(g), float(b)
