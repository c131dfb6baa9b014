"""Where each data set is to be had, and what a missing or wrong file of it is told as."""

from pathlib import Path
from typing import Final, NamedTuple

from motionfield.core.errors import InputError


class Origin(NamedTuple):
    """Where a data set comes from."""

    title: str
    where: str
    licence: str
    seen: bool = False
    """Whether the reader has ever read the real files."""


ORIGINS: Final[dict[str, Origin]] = {
    "penn": Origin(
        "Penn Action",
        "dreamdragon.github.io/PennAction (Penn_Action.tar.gz)",
        "no licence stated; research use, cite Zhang et al., ICCV 2013",
    ),
    "nemo-mocap": Origin(
        "NeMo-MoCap",
        "the Google Drive folder named in the README of github.com/wangkua1/nemo-cvpr2023",
        "no licence stated; evaluation only",
    ),
    "emdb": Origin(
        "EMDB",
        "the form at emdb.ait.ethz.ch",
        "non-commercial research (ETH Zurich); evaluation only",
    ),
    "zju": Origin(
        "ZJU-MoCap",
        "the form named in the README of github.com/zju3dv/neuralbody",
        "non-commercial research; evaluation only",
    ),
    "3dpw": Origin(
        "3DPW",
        "virtualhumans.mpi-inf.mpg.de/3DPW",
        "non-commercial research; evaluation only",
    ),
    "h36m": Origin(
        "Human3.6M",
        "the form at vision.imar.ro/human3.6m",
        "academic use only; evaluation only",
    ),
    "mpi-inf-3dhp": Origin(
        "MPI-INF-3DHP",
        "vcai.mpi-inf.mpg.de/3dhp-dataset",
        "non-commercial research; evaluation only",
    ),
    "posetrack": Origin(
        "PoseTrack18",
        "posetrack.net",
        "non-commercial research",
    ),
    "instavariety": Origin(
        "InstaVariety",
        "the page of it in github.com/akanazawa/human_dynamics (doc/insta_variety.md)",
        "no licence stated; videos of Instagram's users; research use, cite Kanazawa et al., "
        "CVPR 2019",
    ),
    "amass": Origin(
        "AMASS",
        "the form at amass.is.tue.mpg.de",
        "non-commercial research; evaluation only",
    ),
    "cmu": Origin(
        "CMU motion capture",
        "mocap.cs.cmu.edu (allasfamc.zip)",
        "free for all uses",
    ),
}


def unverified(dataset: str) -> tuple[str, ...]:
    """The sentence that a report owes its readers, where a reader has never seen real files."""
    origin = ORIGINS[dataset]
    if origin.seen:
        return ()
    return (f"UNVERIFIED: the reader of {origin.title} has never seen the real files",)


def need(path: Path, dataset: str) -> Path:
    """``path``, if it is there.

    Raises:
        InputError: it is missing; says of which data set, and where that is to be had.
    """
    if not path.exists():
        origin = ORIGINS[dataset]
        cure = f"get it from {origin.where} and lay it out as docs/papers_data.md shows"
        raise InputError(path, f"is missing ({origin.title})", cure)
    return path


def need_any(folder: Path, patterns: tuple[str, ...], dataset: str) -> list[Path]:
    """The files below ``folder`` that match the first pattern with any, in order of their names.

    Raises:
        InputError: the folder is missing, or nothing in it matches.
    """
    need(folder, dataset)
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if found:
            return found
    origin = ORIGINS[dataset]
    fault = f"holds no {' or '.join(patterns)} ({origin.title})"
    cure = f"get it from {origin.where} and lay it out as docs/papers_data.md shows"
    raise InputError(folder, fault, cure)


def wrong(path: Path, fault: str, dataset: str) -> InputError:
    """The error for a file of another form than the data set's."""
    origin = ORIGINS[dataset]
    return InputError(path, fault, f"give the file of {origin.title} as {origin.where} has it")
