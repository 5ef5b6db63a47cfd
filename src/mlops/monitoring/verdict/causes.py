"""Which changed inputs may be the cause of changed predictions, as far as profiles show it.

A profile has the counts of each column, and no rows. So it can be said which inputs moved, and how much the
model depends on each of them. How much of the change each one explains needs rows and the model: two
inputs may cancel each other out, and changed combinations of inputs are in no single column.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.drift.report import (
    DomainClassification,
    DriftReport,
    FeatureDrift,
    PredictionChange,
    SegmentDrift,
)
from mlops.pages.number_format import number, percent

MAX_CAUSES = 5
LIMITS = (
    "Importance for the model times size of the change, as a share of all inputs. Profiles of single columns "
    "do not show in which direction an input moved the predictions, nor changed combinations of inputs."
)
NO_CAUSE = (
    "No input changed enough on its own. Combinations of inputs may have changed, or many inputs a little: "
    "profiles of single columns do not show it."
)


@dataclass(frozen=True, slots=True)
class Cause:
    """An input that changed; `share` is its part of the change of all inputs by importance, 0..1."""

    feature: FeatureDrift
    share: float


def likely_causes(report: DriftReport) -> list[Cause]:
    """Return the changed inputs that may explain changed predictions, the likeliest first, at most five.

    None where the predictions are as before, or where the importance of no input is known.
    """
    if not report.predictions_with_drift:
        return []
    weights = {name: _weight(feature) for name, feature in report.features.items()}
    total = sum(weights.values())
    changed = [report.features[name] for name in report.features_with_drift if weights.get(name)]
    causes = [Cause(feature, weights[feature.name] / total) for feature in changed]
    return sorted(causes, key=lambda cause: -cause.share)[:MAX_CAUSES]


def _weight(feature: FeatureDrift) -> float:
    """Return importance x change; an index above 1 says no more than that the values hardly overlap."""
    change = min(max(feature.psi - feature.psi_by_chance, 0.0), 1.0) + min(feature.missing_psi, 1.0)
    return max(feature.importance or 0.0, 0.0) * change


def segments_of_change(report: DriftReport) -> list[SegmentDrift]:
    """Return the segments whose changed predictions moved the mean of all rows most, at most five.

    None where the predictions are as before.
    """
    if not report.predictions_with_drift:
        return []
    segments = [segment for segment in report.segments if segment.effect_on_mean]
    return sorted(segments, key=lambda segment: -abs(segment.effect_on_mean or 0.0))[:MAX_CAUSES]


def segment_sentence(segment: SegmentDrift) -> str:
    """Say how the mean prediction of a segment changed, and what that adds to the mean of all rows."""
    return (
        f"{segment.name}, {percent(segment.share_current)} of rows: {number(segment.mean_before or 0.0)} -> "
        f"{number(segment.mean_now or 0.0)}, {signed(segment.effect_on_mean or 0.0)} on the mean of all rows"
    )


def effects_of(change: PredictionChange) -> list[tuple[str, str]]:
    """Return the columns with their effects on the mean, the largest five, and the rest, as texts."""
    shown = list(change.effects.items())[:MAX_CAUSES]
    rest = change.now - change.before - sum(effect for _, effect in shown)
    return [(name, signed(effect)) for name, effect in (*shown, ("together, or by other columns", rest))]


def change_sentence(change: PredictionChange) -> str:
    """Say what the mean was and is, and how the effects of columns were found."""
    return (
        f"Mean of {change.output}: {number(change.before)} on held-out rows, {number(change.now)} now "
        f"({signed(change.now - change.before)}). Each column in turn was given values as in training, in "
        f"{change.n_rows:,} rows, which changes the mean by:"
    )


def multivariate_sentence(classification: DomainClassification) -> str:
    """Say whether rows can be separated from those of the training, and by which features."""
    low, high = classification.interval
    score = f"ROC AUC {classification.roc_auc:.3f} ({low:.3f} to {high:.3f}; 0.5 = not at all)"
    sides = f"{classification.n_rows:,} rows from {classification.n_rows_reference:,} training rows"
    if not classification.has_change:
        return f"A classifier cannot separate {sides}: {score}."
    named = [f"{name} {effect:.3f}" for name, effect in list(classification.effects.items())[:MAX_CAUSES]]
    by = f" Without the values of: {', '.join(named)} less." if named else ""
    return f"A classifier separates {sides}: {score}.{by}"


def signed(effect: float) -> str:
    """Write a number with its sign."""
    return ("+" if effect > 0 else "") + number(effect)
