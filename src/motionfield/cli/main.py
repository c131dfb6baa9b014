"""``motionfield VERB …``: finds the verb, and turns errors into one line and an exit code."""

import os
import sys
from collections.abc import Sequence

from motionfield import __version__
from motionfield.cli import (
    benchmark,
    demo,
    evaluate,
    export,
    info,
    models,
    run,
    train,
    view,
)
from motionfield.cli.parser import Parser
from motionfield.core.errors import MotionfieldError

VERBS = (run, demo, view, export, evaluate, benchmark, train, info, models)
INTERRUPTED = 130
_GO_ON = {
    "run": "; run again with --resume to go on",
    "train": "; the same command goes on at the last checkpoint",
}


def make_parser() -> Parser:
    """The whole command line; nothing heavy is imported before a verb is run."""
    parser = Parser(
        prog="motionfield",
        description="Videos in, true 3D human motion out, in world coordinates, in metres.",
    )
    parser.add_argument("--version", action="version", version=f"motionfield {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0, the error's own, or 130 after Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    # Threads that spin while the others work make everything slower on few cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if arguments is None and not debug:
        _silence_native_code()
    try:
        options = make_parser().parse_args(given)
        return int(options.run_verb(options))
    except MotionfieldError as error:
        if debug:
            raise
        print(f"motionfield: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        if debug:
            raise
        print(f"\nmotionfield: stopped{_GO_ON.get(next(iter(given), ''), '')}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; say nothing more to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"motionfield: unexpected {fault}; run again with --debug", file=sys.stderr)
        return 1


def _silence_native_code() -> None:
    """Keep standard error to ourselves: libraries in C write notes past Python's back.

    Ours goes to a copy of the file; what is written to the number 2 itself is dropped.
    """
    try:
        ours = os.dup(2)
        sys.stderr = open(  # noqa: SIM115 (it stays open until the process ends)
            ours, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace"
        )
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)
    except (OSError, AttributeError):
        return  # no standard error (a service, a window): nothing to silence


if __name__ == "__main__":
    sys.exit(main())
