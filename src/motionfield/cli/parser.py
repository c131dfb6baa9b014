"""What the verbs' parsers share."""

import argparse
from typing import NoReturn

from motionfield.core.errors import OptionError

Verbs = argparse._SubParsersAction
"""What ``add_subparsers`` returns: each verb adds its parser to it."""


class Parser(argparse.ArgumentParser):
    """A parser that raises ``OptionError`` in one line, and takes no abbreviated options."""

    def __init__(self, **options: object) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see `{self.prog} --help`")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Options of every verb that computes."""
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def later(option: str, alternative: str) -> NoReturn:
    """Refuse an option of the contract that this version does not have yet."""
    raise OptionError(f"{option}: not in this version; {alternative}")
