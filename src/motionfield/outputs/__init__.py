"""The files of a run: what is called how, and that each appears only when it is whole."""

from motionfield.outputs.files import write_source
from motionfield.outputs.group import GroupFiles, GroupOutcome, OddTake, write_group
from motionfield.outputs.sources import Source, check_key, check_run, name_sources
from motionfield.outputs.summary import Summary, write_summary
from motionfield.outputs.written import Finished, SourceResult, warnings_of

__all__ = [
    "Finished",
    "GroupFiles",
    "GroupOutcome",
    "OddTake",
    "Source",
    "SourceResult",
    "Summary",
    "check_key",
    "check_run",
    "name_sources",
    "warnings_of",
    "write_group",
    "write_source",
    "write_summary",
]
