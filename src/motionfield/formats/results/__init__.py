"""Results of other programs, one reader a program; ``read_result`` finds the right one."""

from motionfield.formats.results.base import Result
from motionfield.formats.results.read import ReadConfig, read_result

__all__ = ["ReadConfig", "Result", "read_result"]
