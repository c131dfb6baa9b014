"""Options of NeMo as it was published."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PaperNemoConfig:
    """NeMo as its text has it; what the text leaves open is as in its public code.

    "Text": Wang et al., CVPR 2023, with its appendix. "Code": github.com/wangkua1/nemo-cvpr2023 as
    its example script runs it ("V2") or, where named so, its script for custom videos ("V3").
    docs/papers/nemo.md has them side by side.
    """

    use_3d: bool = True
    """False: the text's row "no 3D": no warm-up, and the first 3D is nowhere used."""
    instance_specific: bool = True
    """False: the text's row "no instance-specific part": codes stay 0 and phases linear; cameras
    are the takes' own, for without them nothing is to be fitted."""

    hidden: tuple[int, ...] = (1000, 1000, 1000)
    code_size: int = 5
    sigmoids: int = 100
    """K of eq. 3; the code runs with 200."""
    encoding: Literal["raw", "quadratic"] = "raw"
    """What the network sees of the phase: itself (text), or 100 quartics of it (code)."""
    rbf_features: int = 100
    recentred: bool = True
    """Translation is measured from phase 0 of code 0 (code; the text does not say)."""

    warmup_steps: int = 300
    """On the first 3D: body pose alone, neither root nor translation."""
    camera_steps: int = 1000
    """Cameras alone after the warm-up (code; the text does not say)."""
    camera_frames: Literal["first", "all"] = "first"
    """What they see then: the first frame of each take (code), or all (its unused "V4")."""
    steps: int = 2000
    batch: int | None = 512
    """Frames drawn for a step, with replacement, each take as likely (code); None: all (V3)."""

    field_rate: float = 1e-4
    """Of Adam, as those below. Text: 1e-4; whether for all parts it does not say."""
    phase_rate: float = 1e-4
    """V3: 0, phases stay linear."""
    code_rate: float = 1e-3
    camera_rate: float = 0.1
    weight_decay: float = 1e-3
    """On the field alone, added to its gradient (code; the text does not say)."""

    robust_px: float = 100.0
    """Scale of Geman-McClure's function, for x and y each (code; the text names the function)."""
    image_side_px: float = 1920.0
    """Images differ in size: residuals are measured as if the longer side had so many pixels. The
    code pads all videos to one size and measures in pixels of that."""
    least_confidence: float = 0.5
    """Keypoints below are left out; those above count by their confidence (code)."""
    mixture: float = 1.0
    """Weight of the mixture's energy against mean squared pixels (code)."""
    pose_vae: float = 1.0
    """Weight of the pose autoencoder's energy. The code has VPoser's divergence at 1 and 10 times
    the mean distance in metres of vertices from the decoded pose; see docs/papers/nemo.md."""
    initial_3d: float = 0.0
    """Weight of the first 3D in the joint fit. V3: 1000."""

    camera_start: Literal["root", "identity"] = "root"
    """Where cameras start (the text does not say): where the first frame of the first 3D has the
    person, or in front of the field's root, unturned (code). From there some end on the wrong side
    of the person and stay (docs/papers/nemo.md)."""
    focal_px: float | None = None
    """None: the take's own lens (text: intrinsics are fixed). The code takes 5000 for all; as
    ``image_side_px``, of an image of that size."""
    seed: int = 0
