"""Colours that the overlay and the report share."""

from typing import Final

from motionfield.rendering.drawing import Colour

PERSON_COLOURS: Final[tuple[Colour, ...]] = (
    (94, 160, 220),
    (232, 160, 84),
    (110, 190, 130),
    (206, 120, 190),
    (216, 196, 92),
    (120, 130, 214),
    (220, 112, 108),
    (90, 190, 196),
)
"""One for each person; more persons start again."""
DOUBT_COLOUR: Final[Colour] = (245, 170, 30)
UNSEEN_COLOUR: Final[Colour] = (228, 66, 72)
"""Not observed: the motion was carried over."""
KEYPOINT_COLOUR: Final[Colour] = (255, 236, 80)


def person_colour(index: int, observed: bool = True) -> tuple[float, float, float]:
    """Colour of a person's mesh in [0, 1]; reddish grey where the person was not observed."""
    red, green, blue = PERSON_COLOURS[index % len(PERSON_COLOURS)]
    if not observed:
        grey = (red + green + blue) / 3
        red, green, blue = (round(0.45 * grey + 0.55 * unseen) for unseen in UNSEEN_COLOUR)
    return red / 255, green / 255, blue / 255
