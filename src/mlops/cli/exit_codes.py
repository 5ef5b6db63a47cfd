"""The exit codes of `mlops`: what a script can decide by."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes; `meaning` is the sentence in the help and in the documentation."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> ExitCode:
        """Make a member from its number and its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "done; a drift check found no drift"
    NOT_PASSED = 1, "done, but not passed: a rejected file or model, or a doctor with something to do"
    ERROR = 2, "not done: wrong arguments, or an error; one sentence on stderr says which"
    DRIFT_ALERT = 3, "drift: the verdict is ALERT"
    DRIFT_WARN = 4, "drift: the verdict is WARN"
    DRIFT_UNKNOWN = 5, "drift: the verdict is INSUFFICIENT_DATA"
