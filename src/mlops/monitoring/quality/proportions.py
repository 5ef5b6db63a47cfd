"""Intervals of shares and of scores made of them: accuracy, recall, precision, balanced accuracy, F1."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.models.training import Interval

Z_95 = 1.959964


def share_interval(hits: float, n: float) -> Interval:
    """Return the Wilson interval of a share.

    Parameters
    ----------
    hits, n
        Counts, `n` above 0.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927; recommended
    by Brown, Cai and DasGupta, Interval estimation for a binomial proportion, Statistical Science 16, 2001.
    """
    z2 = Z_95**2
    middle = (hits + z2 / 2.0) / (n + z2)
    half = Z_95 / (n + z2) * (hits * (n - hits) / n + z2 / 4.0) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_of_shares(parts: Sequence[tuple[float, float]], effect: float) -> tuple[float, Interval]:
    """Return the mean of shares, as the recalls of classes, with its interval.

    Parameters
    ----------
    parts
        Hits and number of rows of each share, the latter above 0.
    effect
        The design effect, 1.0 for independent rows.

    References
    ----------
    The variance of each share with two hits and two misses added: Agresti and Coull, Approximate is better
    than exact for interval estimation of binomial proportions, The American Statistician 52, 1998.
    """
    value = sum(hits / n for hits, n in parts) / len(parts)
    variance = sum(_variance((hits + 2.0) / (n + 4.0), n + 4.0) for hits, n in parts) / len(parts) ** 2
    return value, within(value, Z_95 * (effect * variance) ** 0.5)


def f1(hits: float, misses: float, n: float, effect: float) -> tuple[float, Interval]:
    """Return F1 with its interval by the delta method.

    F1 = 2 a / (2 a + b) of the multinomial shares a (true positives) and b (false positives and negatives);
    its gradient is (2 b, -2 a) / (2 a + b)^2.

    Parameters
    ----------
    hits, misses, n
        True positives, false positives plus false negatives (not both 0), and all rows.
    effect
        The design effect, 1.0 for independent rows.

    References
    ----------
    Takahashi, Yamamoto, Kuchiba and Koyama, Confidence interval for micro-averaged F1 and macro-averaged F1
    scores, Applied Intelligence 52, 2022.
    """
    value = 2.0 * hits / (2.0 * hits + misses)
    a, b = (hits + 1.0) / (n + 2.0), (misses + 1.0) / (n + 2.0)
    variance = (4.0 * b**2 * a + 4.0 * a**2 * b) / (2.0 * a + b) ** 4 / n
    return value, within(value, Z_95 * (effect * variance) ** 0.5)


def within(value: float, half_width: float) -> Interval:
    """Return the symmetric interval around a share, cut to 0..1."""
    return max(0.0, value - half_width), min(1.0, value + half_width)


def _variance(probability: float, n: float) -> float:
    return probability * (1.0 - probability) / n
