"""The linear shape space: 16 directions for all ages from 2 to 75, in units of adult people."""

from typing import NamedTuple

import numpy as np

from motionfield.core.conventions import NUM_BETAS

ADULT_YEARS = (18, 75)
ALL_YEARS = (2, 75)
# A direction in which adults hardly differ (a child's proportions) gets a unit of at least this
# share of its spread over all ages: otherwise a child would be hundreds of units away.
_LEAST_ADULT_SHARE = 0.2
# A fit frees the first ten by default, so they alone have to be a good space for all ages.
_BLOCKS = (slice(0, 10), slice(10, NUM_BETAS))


class ShapeSpace(NamedTuple):
    """Blend shape coefficients ``c = mean + betas @ directions``."""

    mean: np.ndarray
    """(shapes,) the average adult."""
    directions: np.ndarray
    """(betas, shapes), one standard deviation of adults each."""
    to_betas: np.ndarray
    """(shapes, betas): ``betas = (c - mean) @ to_betas``, least squares over the skin."""


def fit_shape_space(
    adults: np.ndarray, everyone: np.ndarray, blendshapes: np.ndarray, area: np.ndarray
) -> ShapeSpace:
    """Principal directions of everyone about the average adult, turned to be adults' own.

    Distances are over the skin, weighted by area, so that the fine mesh of the face does not
    rule. The first ten span the best space of ten, and so do all 16; within each block the
    directions are uncorrelated among adults, by falling variance: the first is stature.
    """
    mean = adults.mean(0)
    root_area = np.sqrt(area / area.sum())
    flat = (blendshapes * root_area[:, None]).reshape(len(blendshapes), -1)
    metric = flat @ flat.T
    values, vectors = np.linalg.eigh(metric)
    kept = values > values[-1] * 1e-12
    to_metric = vectors[:, kept] * np.sqrt(values[kept])
    from_metric = (vectors[:, kept] / np.sqrt(values[kept])).T
    all_in_metric = (everyone - mean) @ to_metric
    _, _, span = np.linalg.svd(all_in_metric, full_matrices=False)
    span = span[:NUM_BETAS]
    adults_in_span = (adults - mean) @ to_metric @ span.T
    axes = np.concatenate(
        [_adult_axes(adults_in_span[:, block]) @ span[block] for block in _BLOCKS]
    )
    adult_spread = ((adults - mean) @ to_metric @ axes.T).std(0)
    all_spread = np.sqrt(np.square(all_in_metric @ axes.T).mean(0))
    unit = np.maximum(adult_spread, _LEAST_ADULT_SHARE * all_spread)
    directions = axes * unit[:, None]
    to_betas = to_metric @ (axes / unit[:, None]).T
    return ShapeSpace(mean, directions @ from_metric, to_betas)


def _adult_axes(adults: np.ndarray) -> np.ndarray:
    """Orthonormal rows: the principal axes of the given coordinates."""
    return np.linalg.svd(adults - adults.mean(0), full_matrices=False)[2]


def vertex_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """A third of the area of the faces round each vertex, (vertices,) square metres."""
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.zeros(len(vertices))
    np.add.at(areas, faces, np.linalg.norm(cross, axis=1)[:, None] / 6)
    return areas
