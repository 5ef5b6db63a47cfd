"""What deserves a sentence of its own, whatever the statistics over the bins say."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mlops.models.drift import Anomaly, AnomalyKind, BatchProfile, DriftVerdict, FeatureCounts, FeatureProfile
from mlops.monitoring.profiles.numeric import outlier_bins
from mlops.monitoring.verdict.feature_comparison import bin_counts
from mlops.pages.number_format import number, percent, rows

_SIGNIFICANT = 0.05
_MISSING_POINTS = 0.05
_MANY = 0.01
_TIMES_REFERENCE = 3.0
_UNLIKELY = 0.001


def find_anomalies(
    profile: FeatureProfile, batch: FeatureCounts, *, n_rows: int, missing_q_value: float
) -> list[Anomaly]:
    """Return the anomalies of one feature in a batch of `n_rows` rows.

    `missing_q_value` is the corrected significance of the change of the missing share.
    """
    if not n_rows:
        return []
    unusable = _unusable(profile, batch, n_rows)
    if unusable is not None:
        return [unusable]
    anomalies = [
        *_absent_in_part(profile, batch, n_rows),
        *_retyped(profile, batch, n_rows),
        *_missing_values(profile, batch, n_rows, missing_q_value),
        *_outliers(profile, batch, n_rows),
        *_new_values(profile, batch, n_rows),
        *_constant(profile, batch, n_rows),
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
        return _anomaly(profile, "missing_column", "ALERT", "the column is missing", 1.0)
    if batch.n_retyped and batch.n_missing == n_rows:
        message = f"has {_other_type(profile)}, training had {_type(profile)}"
        return _anomaly(profile, "retyped_column", "ALERT", message, batch.n_retyped / n_rows)
    if batch.n_missing == n_rows and profile.missing_share**n_rows < _UNLIKELY:
        return _anomaly(profile, "empty_column", "ALERT", "all values are missing", 1.0)
    return None


def _absent_in_part(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    if batch.n_absent:
        share = batch.n_absent / n_rows
        message = f"some files lack the column, {percent(share)} of rows"
        yield _anomaly(profile, "missing_column", "ALERT" if share > _MANY else "WARN", message, share)


def _retyped(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    if batch.n_retyped:
        share = batch.n_retyped / n_rows
        message = f"{percent(share)} of rows have {_other_type(profile)} instead of {_type(profile)}"
        yield _anomaly(profile, "retyped_column", "ALERT" if share > _MANY else "WARN", message, share)


def _missing_values(
    profile: FeatureProfile, batch: FeatureCounts, n_rows: int, q_value: float
) -> Iterator[Anomaly]:
    share = batch.n_missing / n_rows
    if share - profile.missing_share > _MISSING_POINTS and q_value <= _SIGNIFICANT:
        message = f"missing {percent(profile.missing_share)} -> {percent(share)}"
        yield _anomaly(profile, "missing_values", "ALERT", message, share)


def _outliers(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    if profile.low_fence is None or profile.high_fence is None:
        return
    is_outside = outlier_bins(profile)
    before = int(np.asarray(profile.counts)[is_outside].sum()) / max(profile.n_rows, 1)
    share = int(np.asarray(batch.counts)[is_outside].sum()) / n_rows
    if share > _MANY and share > _TIMES_REFERENCE * before:
        message = f"{percent(share)} of rows are far outside the range of training"
        yield _anomaly(profile, "outliers", "ALERT", message, share)


def _new_values(profile: FeatureProfile, batch: FeatureCounts, n_rows: int) -> Iterator[Anomaly]:
    """Report values that training never saw, in the light of how many were to be expected.

    For a closed list of categories none is expected, and a single row is worth a warning.
    """
    if not batch.n_new:
        return
    share = batch.n_new / n_rows
    expected = _expected_new_rows(profile, n_rows)
    is_expected = bool(expected) and batch.n_new <= expected + 3.0 * math.sqrt(expected + 1.0)
    is_category = profile.kind == "categorical"
    few: DriftVerdict = "WARN" if is_category else "OK"
    verdict: DriftVerdict = "OK" if is_expected else "ALERT" if share > _MANY else few
    kind: AnomalyKind = "new_category" if is_category else "new_value"
    yield _anomaly(profile, kind, verdict, _new_message(batch, share), share)


def _expected_new_rows(profile: FeatureProfile, n_rows: int) -> float:
    """Return how many rows are likely to hold a value that is rare rather than new.

    Values that occur once in training tell how much of later rows is unseen (Good and Turing). Where training
    has rare categories, one that it missed may have a share of up to 3 / n (the rule of three).
    """
    n_training = max(profile.n_rows, 1)
    has_rare = profile.kind == "categorical" and profile.counts[-1] > 0
    return max(profile.n_singletons, 3 if has_rare else 0) / n_training * n_rows


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


def _has_one_value(profile: FeatureProfile, batch: FeatureCounts) -> bool:
    if profile.kind == "numeric":
        return batch.minimum == batch.maximum
    n_other = batch.counts[-1]
    return np.count_nonzero(batch.counts) == 1 and (not n_other or len(batch.new_levels) == 1)


def _anomaly(
    profile: FeatureProfile, kind: AnomalyKind, verdict: DriftVerdict, message: str, share: float
) -> Anomaly:
    return Anomaly(profile.name, kind, verdict, f"{profile.name}: {message}", share)


def _type(profile: FeatureProfile) -> str:
    return "numbers" if profile.kind == "numeric" else "text"


def _other_type(profile: FeatureProfile) -> str:
    return "text" if profile.kind == "numeric" else "numbers"
