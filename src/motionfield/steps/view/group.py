"""The report's part about several takes of one action: side by side in phase."""

from typing import NamedTuple

from motionfield.data import Action, Variation


class Group(NamedTuple):
    """Takes of one action, fitted together. Names and order are those of the clips."""

    variation: Variation
    action: Action
    csv_href: str | None = "variation.csv"
    """Where the table lies, seen from the report; None where it was not written."""
    glb_href: str | None = "takes.glb"
    """Where the animation of all takes lies."""
