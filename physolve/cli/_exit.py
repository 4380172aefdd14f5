"""Exit codes of every subcommand."""

import enum


class ExitCode(enum.IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    """`check` found something missing; or the computation failed."""
    BAD_INPUT = 2
    """Unknown option, bad problem file, unwritable output, unsupported problem: nothing was computed."""
    NOT_SOLVED = 3
    """Tolerance not reached (or the problem is ill-posed, or the iteration diverged); output is written."""
    INTERRUPTED = 130
    """Ctrl-C; the best solution so far is written."""
