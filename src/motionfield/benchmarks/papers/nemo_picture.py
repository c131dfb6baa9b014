"""NeMo's errors in the picture, as its text and as its code have them: Tables 2, 3 and 5."""

from jaxtyping import Float
from torch import Tensor

from motionfield.steps.evaluate.image import (
    box_size,
    image_error,
    nemo_image_error,
    nemo_pck,
    pck,
)
from motionfield.steps.evaluate.nemo import NEMO_JOINTS

AS_CODE = "_code"
"""Ending of the names of figures that are measured as the public code measures them."""
CODES_MEASURE = "the code's measure"
NOTES = (
    "2D Recon. Err. and PCK as the paper's text has them: mean over the labelled joints, within "
    "10 % of the longer side of the labels' box",
    f"{CODES_MEASURE}, which the paper's rows come from: joints without a label count as zero, "
    "within 5 % of a diagonal from the picture's origin; dynamic range with the speed multiplied "
    "by the thinning",
)


def picture_figures(
    shown: Float[Tensor, "frames 25 2"], labels: Float[Tensor, "frames 25 2"]
) -> dict[str, float]:
    """2D error in pixels and PCK in % over the first 15 points of BODY_25.

    Args:
        shown: projected points.
        labels: NaN where there is no label.
    """
    count = len(NEMO_JOINTS)
    ours, truth = shown[:, :count], labels[:, :count]
    return {
        "recon": image_error(ours, truth).mean,
        "pck": pck(ours, truth, box_size(truth)).mean,
        f"recon{AS_CODE}": nemo_image_error(ours, truth).mean,
        f"pck{AS_CODE}": nemo_pck(ours, truth, labels).mean,
    }
