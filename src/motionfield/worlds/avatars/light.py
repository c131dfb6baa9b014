"""Sun, sky and the light that the ground throws back."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray


class Light(NamedTuple):
    """Linear red, green, blue; 1 is what a white surface needs to be white in the picture."""

    towards_sun: Float[ndarray, "3"]
    """World direction, length 1."""
    sun: Float[ndarray, "3"]
    """On a surface that faces it."""
    sky: Float[ndarray, "3"]
    """On a surface that faces up."""
    bounce: Float[ndarray, "3"]
    """On a surface that faces down."""
    softness_m: float
    """How much the edges of shadows on the ground blur."""

    def on(
        self, normal: Float[ndarray, "points 3"], lit: Float[ndarray, "points"], wrap: float = 0.0
    ) -> Float[ndarray, "points 3"]:
        """Light that falls on surfaces. ``lit``: 0 in the sun's shadow, 1 out of it.

        ``wrap``: how far light creeps round the edge, as it does in skin.
        """
        facing = (normal @ self.towards_sun.astype(np.float32) + wrap) / (1 + wrap)
        direct = np.clip(facing, 0, 1) * lit
        up = 0.5 + 0.5 * normal[:, 2]
        total = direct[:, None] * self.sun + up[:, None] * self.sky
        return (total + (1 - up)[:, None] * self.bounce).astype(np.float32)


def draw_light(rng: np.random.Generator, indoors: bool) -> Light:
    """Sunny, hazy, overcast, or lamps under a ceiling."""
    azimuth = rng.uniform(0, 2 * math.pi)
    height = math.radians(rng.uniform(50, 80) if indoors else rng.uniform(25, 70))
    across = math.cos(height)
    towards = np.array([across * math.cos(azimuth), across * math.sin(azimuth), math.sin(height)])
    share = rng.uniform(0.3, 0.55) if indoors else rng.uniform(0.2, 0.75)
    brightness = rng.uniform(0.75, 1.15)
    warm = np.array((1.0, 0.96, 0.88)) if not indoors else np.array((1.0, 0.97, 0.92))
    cool = np.array((0.86, 0.94, 1.0)) if not indoors else np.array((0.97, 0.98, 1.0))
    sun = brightness * share * warm * 1.35
    sky = brightness * (1 - share) * cool * 1.1
    bounce = 0.35 * (sun * math.sin(height) + sky)
    softness = 0.25 if indoors else float(np.interp(share, (0.2, 0.75), (0.25, 0.02)))
    return Light(towards, sun, sky, bounce, softness)
