"""The rule of the verdict: its limits and its words, shown beside every verdict."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.drift.report import DriftVerdict
from mlops.models.errors import DriftError
from mlops.pages.number_format import percent

MIN_ROWS = 100
SIGNIFICANT = 0.05
SIGNIFICANT_REASONS = 0.01  # of 5 %, 8 % of 36 unchanged batches of 300 rows of one model warned
IMPORTANT_SHARE = 0.8
MANY_FEATURES = 0.3
MANY_ROWS = 0.01
MISSING_POINTS = 0.05
MOST_ROWS = 0.5
MIN_OVERLAP = 0.1
_MAX_SCORE = 1.0
_BELOW_NEXT = 0.94  # two digits must not round up to the next limit


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Effects from which a significant change warns and alerts.

    The index (PSI); for categories also Cramer's V, for shares of columns in the reasons Cohen's h.
    """

    warn: float = 0.1
    alert: float = 0.2

    def __post_init__(self) -> None:
        """Refuse thresholds that are equal to each other or can never be reached."""
        if not 0.0 < self.warn <= self.alert:
            raise DriftError(
                f"threshold ({self.warn}) must be above 0 and at most alert_threshold ({self.alert})."
            )

    def score(self, effect: float, verdict: DriftVerdict) -> float:
        """Return the drift score: the effect within the range of the verdict, so that they agree."""
        if verdict == "ALERT":
            return max(self.alert, min(effect, _MAX_SCORE))
        if verdict == "WARN":
            return max(self.warn, min(effect, _BELOW_NEXT * self.alert))
        return min(effect, _BELOW_NEXT * self.warn) if verdict == "OK" else 0.0


RULE_OF_SEGMENTS = "Segments have the same rule: a fault in one alone is an ALERT, another change a WARN."


def rule_text(thresholds: Thresholds) -> str:
    """Return the rule of inputs and predictions in words, for pages, emails and events."""
    important, many = percent(IMPORTANT_SHARE), percent(MANY_FEATURES)
    sentences = (
        f"ALERT when the predictions, or a feature among the first {important} of the importance, changed",
        f"a lot (PSI from {thresholds.alert:g}), when more than {many} of the features changed, or when",
        "a column has a fault: it is missing, empty, of another type, lost most values, or has",
        f"other values, as in another unit. WARN for every other change: PSI from {thresholds.warn:g},",
        f"{100 * MISSING_POINTS:g} points of missing values, new categories, outliers. A change counts",
        f"when it is significant (q at most {SIGNIFICANT:g}). At least {MIN_ROWS} rows are needed.",
    )
    return " ".join(sentences)


def rule_of_reasons(thresholds: Thresholds) -> str:
    """Return the rule about the reasons of predictions in words."""
    return (
        "Reasons of predictions are a WARN when the share of a column in them changed: Cohen's h from "
        f"{thresholds.warn:g}, q at most {SIGNIFICANT_REASONS:g}."
    )
