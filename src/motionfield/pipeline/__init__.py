"""The steps in order: read → track → calibrate → lift → fit → evaluate → outputs.

What each step made is kept under ``OUT/<stem>/.stages`` (of several takes together: under
``OUT/.stages``), so that a run that was cut goes on at the last finished stage and ends with the
same result.
"""

from motionfield.pipeline.result import RunResult
from motionfield.pipeline.run import Pipeline, run_pipeline

__all__ = ["Pipeline", "RunResult", "run_pipeline"]
