"""Views that the rendering tests share."""

import numpy as np
import pytest

from motionfield.rendering import View, look_at


@pytest.fixture
def straight_view() -> View:
    """A camera at the origin whose axes are the world's (x right, y down, z forward)."""
    K = np.array([[110.0, 0, 80], [0, 120, 55], [0, 0, 1]])
    return View(K, np.eye(3), np.zeros(3), 160, 120)


@pytest.fixture
def oblique_view() -> View:
    """A camera that looks down at the origin from 4 m."""
    return look_at((2.5, -3.0, 1.6), (0.1, 0.2, 0.4), (150, 110))
