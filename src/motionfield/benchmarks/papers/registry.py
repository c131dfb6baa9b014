"""The papers' benchmarks by their names on the command line."""

from typing import Final

_ROOM = "motionfield.benchmarks.papers"
PAPER_BENCHMARKS: Final[dict[str, str]] = {
    "penn": f"{_ROOM}.penn:run_penn",
    "nemo-mocap": f"{_ROOM}.nemo_mocap:run_nemo_mocap",
    "emdb-diffopt": f"{_ROOM}.emdb:run_diffopt",
    "emdb-diffopt-untrimmed": f"{_ROOM}.emdb:run_diffopt_untrimmed",
    "emdb-neuhmr": f"{_ROOM}.emdb:run_neuhmr",
    "zju": f"{_ROOM}.joints:run_zju",
    "3dpw": f"{_ROOM}.joints:run_3dpw",
    "h36m": f"{_ROOM}.joints:run_h36m",
    "mpi-inf-3dhp": f"{_ROOM}.joints:run_3dhp",
    "amass": f"{_ROOM}.made:run_amass",
    "cmu": f"{_ROOM}.made:run_cmu",
}
"""Name → ``module:function`` of ``(data: Path, method: str = "fit", progress)``.

The report that it gives back has ``table()`` and ``summary()``. All need a folder of the user's.
"""
