"""What AWS asks for machines and functions: the list prices that every cost is computed with."""

from __future__ import annotations

# what people read beside a cost; the prices are written down by hand, and not fetched
LIST_PRICES = "list prices of January 2025"
# us-east-1, on demand, US dollars: a deployment elsewhere, or with other terms, sets TrainingUsdPerHour. A
# type that is not here has no price, because a guess would be believed.
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
# S3 Standard, for a GB and month; Lambda on x86, for a GB and second (with arm64 a fifth less): see
# docs/how-to/operations.md
STORAGE_USD_PER_GB = 0.023
LAMBDA_USD_PER_GB_SECOND = 0.0000166667


def usd_per_hour(instance_type: str, override: float = 0.0) -> float | None:
    """Return the price of an instance hour in US dollars; None where it is not known.

    Parameters
    ----------
    instance_type
        Such as `ml.m5.large`.
    override
        The price that the deployment names; 0 = the list price in us-east-1.
    """
    return override if override > 0 else USD_PER_HOUR.get(instance_type)


def cost_usd(seconds: float | None, price: float | None) -> float | None:
    """Return what an instance costs for some seconds, in US dollars; None where either is not known.

    Of a Spot job the billable seconds are fewer than it ran, by the discount: the price stays the same.

    Parameters
    ----------
    price
        Of an hour, in US dollars.
    """
    return None if seconds is None or price is None else round(seconds / 3600.0 * price, 6)


def lambda_cost_usd(gb_seconds: float) -> float:
    """Return what functions cost for their memory and time, in US dollars."""
    return gb_seconds * LAMBDA_USD_PER_GB_SECOND
