"""Grounds: grass, tiles, concrete, a court with lines, boards, sand; functions of world places."""

from typing import Final, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.worlds.avatars.noise import NoisePlane

GroundKind = Literal["grass", "tiles", "concrete", "court", "boards", "sand"]
OUTDOOR_GROUNDS: Final[tuple[GroundKind, ...]] = ("grass", "concrete", "court", "sand", "tiles")
INDOOR_GROUNDS: Final[tuple[GroundKind, ...]] = ("boards", "tiles", "concrete", "court")

_COLOURS: Final[dict[GroundKind, tuple[tuple[float, float, float], ...]]] = {
    # Two ends of a range; linear light.
    "grass": ((0.09, 0.19, 0.05), (0.20, 0.26, 0.08)),
    "tiles": ((0.30, 0.28, 0.26), (0.55, 0.52, 0.48)),
    "concrete": ((0.22, 0.22, 0.22), (0.42, 0.41, 0.39)),
    "court": ((0.10, 0.22, 0.28), (0.34, 0.13, 0.09)),
    "boards": ((0.26, 0.15, 0.08), (0.50, 0.34, 0.20)),
    "sand": ((0.38, 0.31, 0.21), (0.55, 0.47, 0.34)),
}
_ROUGH: Final[dict[GroundKind, tuple[float, float]]] = {
    # Deviation of coarse and of fine noise.
    "grass": (0.22, 0.32),
    "tiles": (0.06, 0.06),
    "concrete": (0.14, 0.10),
    "court": (0.06, 0.05),
    "boards": (0.08, 0.08),
    "sand": (0.12, 0.12),
}


class GroundPaint(NamedTuple):
    """The look of the plane z = 0."""

    kind: GroundKind
    colour: Float[ndarray, "3"]
    line_colour: Float[ndarray, "3"]
    cell_m: float
    """Size of tiles and boards; distance of a court's lines."""
    turn: float
    """Heading of joints and lines, radians."""
    noise: NoisePlane
    grit: NoisePlane

    def at(
        self,
        x: Float[ndarray, "points"],
        y: Float[ndarray, "points"],
        footprint_m: Float[ndarray, "points"],
    ) -> Float[ndarray, "points 3"]:
        """Albedo at places; what is finer than the footprint fades out."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        u, v = (cos * x + sin * y).astype(np.float32), (cos * y - sin * x).astype(np.float32)
        coarse, fine = _ROUGH[self.kind]
        shade = 1 + coarse * self.noise.at(u, v, 9.0)
        shade += fine * self.noise.at(v, u, 1.7) * _visible(footprint_m, 0.02)
        shade += fine * self.grit.at(u, v, 2.9) * _visible(footprint_m, 0.012)
        # Stains, stones, fallen leaves.
        spots = np.clip(3 * (self.grit.at(v, u, 13.0) - 2.2), 0, 1) * _visible(footprint_m, 0.06)
        shade *= 1 - 0.45 * spots
        colour = shade[:, None].clip(0.25, 2) * self.colour
        if self.kind in ("tiles", "boards", "concrete"):
            self._joints(colour, u, v, footprint_m)
        if self.kind == "court":
            self._lines(colour, u, v, footprint_m)
        return colour.astype(np.float32)

    def _joints(self, colour: ndarray, u: ndarray, v: ndarray, footprint_m: ndarray) -> None:
        long = {"boards": 9.0, "concrete": 1.0}.get(self.kind, 1.0)
        wide = 0.012 if self.kind != "boards" else 0.005
        row = np.floor(v / self.cell_m)
        shifted = u / (self.cell_m * long) + (0.37 * row if self.kind == "boards" else 0)
        column = np.floor(shifted)
        # Every tile and board has a shade of its own.
        own = np.sin(row * 12.9898 + column * 78.233) * 43758.5453
        colour *= 1 + 0.16 * (np.mod(own, 1) - 0.5)[:, None] * _visible(footprint_m, 0.2)[:, None]
        from_edge = np.minimum(
            np.abs(v / self.cell_m - np.round(v / self.cell_m)) * self.cell_m,
            np.abs(shifted - np.round(shifted)) * self.cell_m * long,
        )
        joint = _band(from_edge, wide / 2, footprint_m)
        colour *= 1 - 0.55 * joint[:, None]

    def _lines(self, colour: ndarray, u: ndarray, v: ndarray, footprint_m: ndarray) -> None:
        wide = 0.03
        for along, gap in ((u, 2.3 * self.cell_m), (v, 3.1 * self.cell_m)):
            from_line = np.abs(along / gap - np.round(along / gap)) * gap
            line = _band(from_line, wide, footprint_m)[:, None]
            colour += line * (self.line_colour - colour)
        ring = np.abs(np.hypot(u - 1.0, v + 0.5) - 1.8)
        line = _band(ring, wide, footprint_m)[:, None]
        colour += line * (self.line_colour - colour)


def draw_ground(rng: np.random.Generator, indoors: bool) -> GroundPaint:
    """A ground at random."""
    kinds = INDOOR_GROUNDS if indoors else OUTDOOR_GROUNDS
    kind = kinds[rng.integers(len(kinds))]
    low, high = (np.array(c) for c in _COLOURS[kind])
    share = rng.random()
    colour = (low * share + high * (1 - share)) * rng.uniform(0.85, 1.2)
    cell = {"boards": rng.uniform(0.09, 0.16), "tiles": rng.uniform(0.3, 0.8)}.get(
        kind, rng.uniform(1.5, 3)
    )
    line = np.array((0.8, 0.8, 0.78)) if rng.random() < 0.8 else np.array((0.7, 0.55, 0.1))
    return GroundPaint(
        kind,
        colour,
        line,
        float(cell),
        float(rng.uniform(0, 3.14)),
        NoisePlane(rng),
        NoisePlane(rng, slope=0.55),
    )


def _visible(footprint_m: ndarray, detail_m: float) -> ndarray:
    """1 where a pixel is finer than a detail, falling to 0 where it is much coarser."""
    return np.clip(1.3 - 0.3 * footprint_m / detail_m, 0, 1).astype(np.float32)


def _band(distance_m: ndarray, half_m: float, footprint_m: ndarray) -> ndarray:
    """How much of a pixel a line covers whose middle is so far away."""
    blur = np.maximum(footprint_m, 1e-4)
    cover = np.clip((half_m - distance_m) / blur + 0.5, 0, 1)
    return (cover * np.minimum(1, 2 * half_m / blur)).astype(np.float32)
