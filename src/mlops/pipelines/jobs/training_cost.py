"""How long a training will be billed, estimated before the job from earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from mlops.models.registry import ModelMetadata

# A first training of a group has no earlier one to go by: five minutes is a small file on a small instance,
# the start of the container included.
DEFAULT_SECONDS = 300.0
_EARLIER = 5


def expected_seconds(n_rows: int | None, earlier: Sequence[ModelMetadata]) -> float:
    """Return how long a training will be billed: the median of the last five, scaled by their rows.

    Parameters
    ----------
    n_rows
        Rows of the new file; None where it is not known, then nothing is scaled.
    earlier
        The versions of the group, the oldest first.

    Returns
    -------
    float
        Seconds; `DEFAULT_SECONDS` for a group without a billed version.
    """
    billed = [
        model.training_job.billable_seconds * _growth(n_rows, model.data.n_rows)
        for model in earlier
        if model.training_job and model.training_job.billable_seconds
    ]
    return float(median(billed[-_EARLIER:])) if billed else DEFAULT_SECONDS


def _growth(n_rows: int | None, before: int | None) -> float:
    return n_rows / before if n_rows and before else 1.0
