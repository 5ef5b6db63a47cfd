"""What deserves a sentence of its own, whatever the statistics over the bins say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlops.models.drift.profiles import BatchProfile, FeatureCounts, FeatureProfile
from mlops.models.drift.report import Anomaly, AnomalyKind, DriftVerdict
from mlops.monitoring.verdict.compared_counts import Pair, bin_counts, fine_counts, without_commonest
from mlops.monitoring.verdict.fine_bins import n_outliers
from mlops.monitoring.verdict.rule import MANY_ROWS, MISSING_POINTS, MOST_ROWS, SIGNIFICANT
from mlops.monitoring.verdict.scale import unit_factors
from mlops.pages.number_format import number, percent, percent_change, rows

_TIMES_REFERENCE = 3.0
_UNLIKELY = 0.001


@dataclass(frozen=True, slots=True)
class QValues:
    """The corrected significance of each question about one feature; small = significant."""

    present: float = 1.0
    rest: float = 1.0
    missing: float = 1.0
    unseen: float = 1.0
    outliers: float = 1.0


def find_anomalies(pair: Pair, *, n_rows: int, q_values: QValues) -> list[Anomaly]:
    """Return the anomalies of one feature in a batch of `n_rows` rows.

    An anomaly of most of the rows is a fault: no population explains it.
    """
    if not n_rows:
        return []
    profile, batch = pair.profile, pair.batch
    unusable = _unusable(profile, batch, n_rows)
    if unusable is not None:
        return [unusable]
    anomalies = [
        *_absent_in_part(profile, batch, n_rows),
        *_retyped(profile, batch, n_rows),
        *_missing_values(profile, batch, n_rows, q_values.missing),
        *_outliers(pair, q_values.outliers),
        *_new_values(pair, n_rows, q_values.unseen),
        *_constant(profile, batch, n_rows),
        *_scale(pair, q_values),
    ]
    return sorted(anomalies, key=lambda anomaly: anomaly.kind)


def extra_columns(batch: BatchProfile) -> list[Anomaly]:
    """Return the columns that training did not have."""
    return [
        Anomaly(name, "extra_column", "WARN", f"{name}: training did not have this column", 1.0)
        for name in sorted(batch.extra_columns)
    ]


def _unusable(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Anomaly | None:
    """Return the one thing to say about a column that has no usable value at all."""
    if batch.n_absent == n_rows:
        return _anomaly(profile, "missing_column", "ALERT", "the column is missing", 1.0, is_fault=True)
    if batch.n_retyped and batch.n_missing == n_rows:
        message = f"has {_other_type(profile)}, training had {_type(profile)}"
        return _anomaly(profile, "retyped_column", "ALERT", message, batch.n_retyped / n_rows, is_fault=True)
    if batch.n_missing == n_rows and profile.missing_share**n_rows < _UNLIKELY:
        return _anomaly(profile, "empty_column", "ALERT", "all values are missing", 1.0, is_fault=True)
    return None


def _absent_in_part(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    if batch.n_absent:
        share = batch.n_absent / n_rows
        message = f"some files lack the column, {percent(share)} of rows"
        yield _anomaly(
            profile, "missing_column", _by_share(share), message, share, is_fault=share > MOST_ROWS
        )


def _retyped(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    if batch.n_retyped:
        share = batch.n_retyped / n_rows
        message = f"{percent(share)} of rows have {_other_type(profile)} instead of {_type(profile)}"
        yield _anomaly(
            profile, "retyped_column", _by_share(share), message, share, is_fault=share > MOST_ROWS
        )


def _missing_values(
    profile: FeatureProfile, batch: FeatureCounts, n_rows: int, q_value: float
) -> Iterator[Anomaly]:
    before, now = profile.missing_share, batch.n_missing / n_rows
    if abs(now - before) > MISSING_POINTS and q_value <= SIGNIFICANT:
        message = f"missing {percent_change(before, now)}"
        yield _anomaly(profile, "missing_values", "ALERT", message, now, is_fault=now - before > MOST_ROWS)


def _outliers(pair: Pair, q_value: float) -> Iterator[Anomaly]:
    if q_value > SIGNIFICANT:
        return
    profile = pair.profile
    (n_before,), (n_now,) = n_outliers([pair], fine_counts([pair]))
    before = n_before / max(sum(profile.counts), 1)
    share = n_now / max(sum(pair.batch.counts), 1)
    if share > MANY_ROWS and share > _TIMES_REFERENCE * before:
        message = f"{percent(share)} of values are far outside the range of training"
        is_fault = n_now > _most_of_the_others(pair)
        yield _anomaly(profile, "outliers", "ALERT", message, share, is_fault=is_fault)


def _new_values(pair: Pair, n_rows: int, q_value: float) -> Iterator[Anomaly]:
    """Report values that training never saw; OK where as many were to be expected (see `rates`)."""
    profile, batch = pair.profile, pair.batch
    if not batch.n_new:
        return
    share = batch.n_new / n_rows
    is_category = profile.kind == "categorical"
    few: DriftVerdict = "WARN" if is_category else "OK"
    verdict: DriftVerdict = "OK" if q_value > SIGNIFICANT else "ALERT" if share > MANY_ROWS else few
    kind: AnomalyKind = "new_category" if is_category else "new_value"
    is_fault = verdict == "ALERT" and batch.n_new > _most_of_the_others(pair)
    yield _anomaly(profile, kind, verdict, _new_message(batch, share), share, is_fault=is_fault)


def _most_of_the_others(pair: Pair) -> float:
    """Return how many rows are most of the values, without the value that most training rows have."""
    return MOST_ROWS * sum((without_commonest(pair) or pair).batch.counts)


def _new_message(batch: FeatureCounts, share: float) -> str:
    most = sorted(batch.new_levels.items(), key=lambda entry: (-entry[1], entry[0]))
    if not most:
        return f"values that training did not have, {percent(share)} of rows"
    if len(most) == 1:
        return f"{most[0][0]} is new, {percent(share)} of rows"
    shown = ", ".join(level for level, _ in most[:3])
    others = " and others" if len(most) > 3 else ""
    return f"{shown}{others} are new, {percent(share)} of rows"


def _constant(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    n_known = n_rows - batch.n_missing
    if not n_known or profile.n_distinct < 2 or not _has_one_value(profile, batch):
        return
    commonest = bin_counts(profile, profile.counts).max() / max(sum(profile.counts), 1)
    if commonest**n_known < _UNLIKELY:
        value = "same value" if batch.minimum is None else f"value {number(batch.minimum)}"
        message = f"all {rows(n_known)} have the {value}"
        yield _anomaly(profile, "constant_column", "WARN", message, n_known / n_rows)


def _scale(pair: Pair, q_values: QValues) -> Iterator[Anomaly]:
    if pair.profile.kind != "numeric" or min(q_values.present, q_values.rest) > SIGNIFICANT:
        return
    if factors := unit_factors(pair):
        message = f"values are {_times(factors)} those of training, as in another unit"
        yield _anomaly(pair.profile, "scale_change", "ALERT", message, 1.0, is_fault=True)


def _times(factors: Sequence[float]) -> str:
    """Write the factor where only one fits, else the direction."""
    if len(factors) > 1:
        return "many times" if factors[0] > 1.0 else "a small fraction of"
    factor = factors[0]
    return f"about {number(factor)} times" if factor > 1.0 else f"about 1/{number(1.0 / factor)} of"


def _has_one_value(profile: FeatureProfile, batch: FeatureCounts) -> bool:
    if profile.kind == "numeric":
        return batch.minimum == batch.maximum
    n_other = batch.counts[-1]
    return np.count_nonzero(batch.counts) == 1 and (not n_other or len(batch.new_levels) == 1)


def _by_share(share: float) -> DriftVerdict:
    return "ALERT" if share > MANY_ROWS else "WARN"


def _anomaly(
    profile: FeatureProfile,
    kind: AnomalyKind,
    verdict: DriftVerdict,
    message: str,
    share: float,
    *,
    is_fault: bool = False,
) -> Anomaly:
    return Anomaly(profile.name, kind, verdict, f"{profile.name}: {message}", share, is_fault)


def _type(profile: FeatureProfile) -> str:
    return "numbers" if profile.kind == "numeric" else "text"


def _other_type(profile: FeatureProfile) -> str:
    return "text" if profile.kind == "numeric" else "numbers"
