"""Every figure of the standard row by name: unit, points, alignment, source.

docs/metrics.md shows this table; a test keeps the two the same. The docstrings of the functions
define each figure.
"""

from dataclasses import dataclass
from typing import Final

_SMPL = "24 joints of SMPL's order"
_LSP = "14 of LSP"
_NEMO = "first 15 of BODY_25"
_VERTICES = "all vertices"
_LIMBS = "12 limb joints"
_ENDS = "wrists and ankles: the fastest"
_SOLES = "toes and heels of BODY_25"

CAMERA_AXES: Final = "camera axes, hips at the origin"
CLIP_AXES: Final = "turned by one rigid fit of the clip, hips at the origin"
_LOCAL = f"{CAMERA_AXES}; without cameras: {CLIP_AXES}"
_FRAME = "similarity of each frame"
_CLIP = "one rigid motion of the clip"
_ROOT = "root unturned at the origin"


@dataclass(frozen=True)
class Metric:
    """What one figure is; the functions' docstrings say more."""

    unit: str
    points: str
    """The joints or vertices that are compared."""
    alignment: str
    """What is forgiven."""
    source: str
    remark: str = ""
    """Where papers and their code differ, or what to mind."""


_POSE: Final = {
    "mpjpe_mm": Metric("mm", _SMPL, _LOCAL, "Human3.6M; WHAM's joints and hips"),
    "pa_mpjpe_mm": Metric("mm", _SMPL, _FRAME, "Zhou 2018"),
    "pve_mm": Metric("mm", _VERTICES, _LOCAL, "WHAM, NeuHMR", "also called MPVPE"),
    "pck150_percent": Metric(
        "%", _LSP, _FRAME, "MEVA's code", "MPI-INF-3DHP, its origin, aligns the root alone"
    ),
    "auc200_percent": Metric("%", _LSP, _FRAME, "MEVA's code", "thresholds of 0 to 199 mm"),
}
_NEMO_ROW: Final = {
    "nemo_local_mpjpe_mm": Metric(
        "mm", _NEMO, f"{_ROOT}, betas = 0", "NeMo Table 1", "shape is not judged"
    ),
    "nemo_local_mpvpe_mm": Metric("mm", _VERTICES, f"{_ROOT}, betas = 0", "NeMo Table 1"),
    "nemo_local_own_mpjpe_mm": Metric("mm", _NEMO, f"{_ROOT}, own shapes", "NeMo, with shapes"),
    "nemo_local_own_mpvpe_mm": Metric("mm", _VERTICES, f"{_ROOT}, own shapes", "NeMo, with shapes"),
    "nemo_dynamic_mpjpe_mm": Metric(
        "mm",
        _NEMO,
        f"{_ROOT}, betas = 0; dynamic range only",
        "NeMo Table 1, right",
        "the code multiplies speeds by the resampling factor where it should divide; "
        "the last fast frame is left out as there",
    ),
    "nemo_dynamic_mpvpe_mm": Metric(
        "mm", _VERTICES, f"{_ROOT}, betas = 0; dynamic range only", "NeMo Table 1, right"
    ),
    "nemo_global_mpjpe_mm": Metric("mm", _NEMO, f"{_CLIP}, fitted to all vertices", "NeMo Table 2"),
    "nemo_global_mpvpe_mm": Metric(
        "mm", _VERTICES, f"{_CLIP}, fitted to all vertices", "NeMo Table 2"
    ),
}
_WORLD: Final = {
    "g_mpjpe_mm": Metric(
        "mm", _SMPL, _CLIP, "assumed for DiffOpt", "its text does not say; NeMo fits to vertices"
    ),
    "g_mpvpe_mm": Metric("mm", _VERTICES, f"{_CLIP}, fitted to joints", "assumed for DiffOpt"),
    "wa_mpjpe100_mm": Metric("mm", _SMPL, "similarity of 100 frames", "WHAM", "scale is forgiven"),
    "w_mpjpe100_mm": Metric(
        "mm", _SMPL, "similarity of the first 2 of 100 frames", "WHAM", "scale is forgiven"
    ),
    "wa_mpjpe100_rigid_mm": Metric("mm", _SMPL, "rigid motion of 100 frames", "WHAM, no scale"),
    "w_mpjpe100_rigid_mm": Metric(
        "mm", _SMPL, "rigid motion of the first 2 of 100 frames", "WHAM, no scale"
    ),
    "rte_percent": Metric(
        "%", "root joint", f"{_CLIP}, of the root", "WHAM, GVHMR", "of the true path's length"
    ),
    "glamr_g_mpjpe_mm": Metric(
        "mm", _LSP, "heading and horizontal place, every 250 frames", "GLAMR"
    ),
    "egobody_ga_mm": Metric("mm", _LSP, "similarity of the clip, root included", "SLAHMR's code"),
    "egobody_fa_mm": Metric(
        "mm", _LSP, "similarity of the first 2 frames, root included", "SLAHMR's code"
    ),
    "up_axis_error_deg": Metric("degrees", "none", "headings", "angle between the ups"),
}
_SMOOTHNESS: Final = {
    "accel_m_s2": Metric("m/s²", _SMPL, _LOCAL, "WHAM", "it drops one more frame at either end"),
    "accel_mm_frame2": Metric(
        "mm/frame²", _LSP, _LOCAL, "MEVA (ACC-ERR), VIBE", "MEVA's text says mm/s²"
    ),
    "g_accel_m_s2": Metric("m/s²", _SMPL, _CLIP, "HMMR's measure in the world"),
    "egobody_accel_mm_frame2": Metric(
        "mm/frame²",
        _LSP,
        "none",
        "SLAHMR's code",
        "of norms; root of the sum of squares",
    ),
    "vel_mm_frame": Metric("mm/frame", _LSP, _LOCAL, "MEVA's code (VEL-ERR)"),
    "vel_m_s": Metric("m/s", _LSP, _LOCAL, "MEVA's code (VEL-ERR)"),
    "jitter": Metric("10 m/s³", _SMPL, "none", "TransPose, shown as WHAM does"),
    "jitter_truth": Metric("10 m/s³", _SMPL, "none", "TransPose, of the truth itself"),
}
_FEET: Final = {
    "foot_slide_mm": Metric(
        "mm per 1/30 s", _SOLES, "none", "GLAMR, WHAM; horizontal", "contact from the truth"
    ),
    "foot_slide_truth_mm": Metric("mm per 1/30 s", _SOLES, "none", "of the truth itself"),
    "foot_slide_wham_mm": Metric(
        "mm per 1/30 s", _SOLES, "none", "WHAM's code (FS)", "there 4 vertices of SMPL's mesh"
    ),
}
_BIOMECHANICS: Final = {
    "angle_rmse_deg": Metric(
        "degrees", "45 clinical angles", "pelvis: mean turn about the vertical", "ISB; OpenCap"
    ),
    **{
        f"angle_rmse_{joint}_deg": Metric(
            "degrees",
            f"angles of the {joint}",
            "mean turn about the vertical" if joint == "pelvis" else "none",
            "ISB; OpenCap",
        )
        for joint in (
            *("pelvis", "trunk", "neck", "hip", "knee", "ankle", "shoulder", "elbow", "wrist"),
        )
    },
    "flexion_rmse_deg": Metric(
        "degrees", "knee, hip, elbow from 3 points", "none", "angles between limbs", "joints alone"
    ),
    "peak_speed_error_percent": Metric("%", _LIMBS, "none", "joints that reach 1 m/s"),
    "peak_speed_bias_percent": Metric("%", _LIMBS, "none", "joints that reach 1 m/s", "signed"),
    "stroke_speed_error_percent": Metric(
        "%", _ENDS, "none", "greatest speed of the take", "takes that reach 3 m/s"
    ),
    "stroke_speed_bias_percent": Metric(
        "%", _ENDS, "none", "greatest speed of the take", "signed; negative: flattened"
    ),
    "stroke_time_ms": Metric(
        "ms", _ENDS, "none", "time of the greatest speed", "searched within 0.25 s"
    ),
    "contact_timing_ms": Metric("ms", "both feet", "none", "touch-downs and lift-offs"),
    "contact_missed_percent": Metric("%", "both feet", "none", "of true events, within 0.2 s"),
    "contact_invented_percent": Metric("%", "both feet", "none", "of predicted events"),
}
_DOUBT: Final = {
    "std_within_1_percent": Metric(
        "%", _SMPL, _CLIP, "coverage", "each axis by itself; 68.3 where deviations are right"
    ),
    "std_within_2_percent": Metric("%", _SMPL, _CLIP, "coverage", "95.4 where they are right"),
    "std_factor": Metric(
        "times", _SMPL, _CLIP, "coverage", "deviations times this would cover 68.3 %"
    ),
}
_IMAGE: Final = {
    "image_error_px": Metric("px", _NEMO, "none", "NeMo (2D Recon. Err.)", "labelled points only"),
    "nemo_image_error_px": Metric(
        "px", _NEMO, "none", "NeMo's code", "joints without a label count as zero"
    ),
    "pck10_percent": Metric("%", _NEMO, "none", "NeMo", "longer side of the box of true points"),
    "nemo_pck_percent": Metric(
        "%",
        _NEMO,
        "none",
        "NeMo's code",
        "5 % of a diagonal from the picture's origin where a label is missing",
    ),
    "reprojection_px": Metric(
        "px", "all detected keypoints", "none", "weighted by confidence", "no truth: detections"
    ),
}

METRICS: Final[dict[str, Metric]] = {
    **_POSE,
    **_NEMO_ROW,
    **_WORLD,
    **_SMOOTHNESS,
    **_FEET,
    **_BIOMECHANICS,
    **_DOUBT,
    **_IMAGE,
}
