"""Which changed inputs may be the cause of changed predictions, as far as profiles show it.

A profile has the counts of each column, and no rows. So it can be said which inputs moved, and how much the
model depends on each of them. How much of the change each one explains needs rows and the model: two
inputs may cancel each other out, and changed combinations of inputs are in no single column.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.drift import DriftReport, FeatureDrift

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
