"""What a training costs: an estimate before the job, and the bill after it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from mlops.models.registry import ModelMetadata

# List price us-east-1, on demand, US dollars an hour, written down by hand on that date and not fetched: a
# deployment elsewhere, or with other terms, sets TrainingUsdPerHour. A type that is not here has no price,
# because a guess would be believed.
PRICES_NOTED = "2025-01"
PRICES_REGION = "us-east-1"
USD_PER_HOUR = {
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
    "ml.c5.9xlarge": 1.836,
    "ml.c5.18xlarge": 3.672,
    "ml.m4.xlarge": 0.24,
    "ml.m4.2xlarge": 0.48,
    "ml.m4.4xlarge": 0.96,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.m5.12xlarge": 2.765,
    "ml.m5.24xlarge": 5.53,
}
# A first training of a group has no earlier one to go by: five minutes is a small file on a small instance,
# the start of the container included.
DEFAULT_SECONDS = 300.0
_EARLIER = 5


def usd_per_hour(instance_type: str, override: float = 0.0) -> float | None:
    """Return the price of an instance hour in US dollars; None where it is not known.

    Parameters
    ----------
    instance_type
        Such as `ml.m5.large`.
    override
        The price that the deployment names; 0 = the list price of `PRICES_REGION`.
    """
    return override if override > 0 else USD_PER_HOUR.get(instance_type)


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


def cost_usd(seconds: float | None, price: float | None) -> float | None:
    """Return what an instance costs for some seconds, in US dollars; None where either is not known.

    Of a Spot job the billable seconds are fewer than it ran, by the discount: the price stays the same.
    """
    return None if seconds is None or price is None else round(seconds / 3600.0 * price, 6)


def _growth(n_rows: int | None, before: int | None) -> float:
    return n_rows / before if n_rows and before else 1.0
