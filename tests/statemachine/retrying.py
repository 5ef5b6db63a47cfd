"""How Step Functions decides whether a failed state is run again, after its documentation.

The Retriers are scanned in order, and the first that names the error decides. It runs the state again while
it has attempts left; each Retrier counts its own. Then, or when no Retrier names the error, the Catchers are
scanned. `States.ALL` names every error but two, `States.TaskFailed` every one but time-outs and those two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_NEVER_CAUGHT = ("States.DataLimitExceeded", "States.Runtime")


def names(listed: Iterable[str], error: str) -> bool:
    """Return whether the names in `ErrorEquals` include an error."""
    if error in listed:
        return True
    if error in _NEVER_CAUGHT:
        return False
    return "States.ALL" in listed or ("States.TaskFailed" in listed and error != "States.Timeout")


def retrier_of(state: Mapping[str, Any], error: str) -> int | None:
    """Return the position of the Retrier that decides about an error; None when none names it."""
    retriers = enumerate(state.get("Retry", []))
    return next((place for place, retrier in retriers if names(retrier["ErrorEquals"], error)), None)


def is_run_again(state: Mapping[str, Any], error: str, *, n_earlier_errors: int) -> bool:
    """Return whether a state is run again after an error.

    `n_earlier_errors` counts the errors for which the same Retrier has decided before; its default of
    attempts is 3.
    """
    place = retrier_of(state, error)
    return place is not None and n_earlier_errors < int(state["Retry"][place].get("MaxAttempts", 3))


def next_state(state: Mapping[str, Any], error: str) -> str | None:
    """Return where the state machine goes after the last attempt; None when the execution ends."""
    catchers = state.get("Catch", [])
    return next((catcher["Next"] for catcher in catchers if names(catcher["ErrorEquals"], error)), None)
