"""The one exception that a command turns into one line on standard error.

Lives here: nothing but the error type. Anything that a user can cause and mend is a
:class:`CaretError`; everything else is a bug and keeps its traceback for ``--debug``.
"""

from __future__ import annotations

EXIT_FAILED = 1
"""The call was right and the work failed."""
EXIT_USAGE = 2
"""The call was wrong: a bad argument, a missing file, a value out of range."""


class CaretError(Exception):
    """A failure that a user can understand and mend.

    ``message`` is one line: what is wrong and how to mend it. ``exit_code`` is
    :data:`EXIT_FAILED` or :data:`EXIT_USAGE`.
    """

    def __init__(self, message: str, *, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class UsageError(CaretError):
    """A call that could never have worked; exits with :data:`EXIT_USAGE`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=EXIT_USAGE)
