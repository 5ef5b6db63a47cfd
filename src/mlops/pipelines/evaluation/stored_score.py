"""A candidate beside a champion that cannot be scored on the same rows: by the champion's stored score.

The two scores are of different rows, so they show only a large difference. The candidate passes when neither
score is outside the interval of the other on the worse side. With 1,000 held-out rows each, 30 % of them
positive, equal models pass in 94 % (1,500 draws of normal scores), and a candidate that is worse by 0.03,
0.06 or 0.08 of ROC-AUC in 57 %, 12 % or 3 %. A person decides about those that pass.
"""

from __future__ import annotations

from mlops.models.metrics import metric_interval, metric_name, metric_value
from mlops.models.settings.gate import GateRule
from mlops.models.training import ChampionComparison, EvaluationMetrics, GateCheck, StoredScore

BETTER_THAN_CHAMPION = "better_than_champion"


def not_compared(
    version: str | None, champion: EvaluationMetrics, reason: str | None = None
) -> ChampionComparison:
    """Return a comparison that has only the scores of the champion on its own held-out rows."""
    stored = {
        name: StoredScore(value, champion.intervals[name])
        for name, value in champion.values().items()
        if name in champion.intervals
    }
    return ChampionComparison(version, reason=reason, stored=stored)


def check_stored_score(
    comparison: ChampionComparison,
    metric: str,
    metrics: EvaluationMetrics,
    rule: GateRule,
    required_change: float,
) -> GateCheck:
    """Compare the candidate's score with the one that is stored with the champion.

    Parameters
    ----------
    comparison, metric
        One that is not comparable on the same rows, and the score to compare.
    metrics
        Those of the candidate.
    rule
        The rule on this score: its `threshold` decides alone where the champion has no such score.
    required_change
        How much better the candidate must be; below 0 how much worse it may be.
    """
    name = comparison.champion_version or "the champion"
    why = comparison.reason or f"{metric_name(metric)} is not defined for both."
    reason = f"Not compared with {name} on the same rows: {why.rstrip('.')}."
    stored, value = comparison.stored.get(metric), metrics.values().get(metric)
    if stored is None or value is None:
        passed = rule.threshold is not None
        advice = f"The threshold on {metric_name(metric)} decides, and then a person."
        if not passed:
            advice = (
                f"{name} has no stored {metric_name(metric)} to compare with, so the candidate does not "
                f"pass: state what it must reach, as [gate.{metric}] with threshold = ... in model.toml."
            )
        return GateCheck(BETTER_THAN_CHAMPION, metric, f"{reason} {advice}", passed=passed, value=value)
    ours = StoredScore(value, metrics.intervals.get(metric, (value, value)))
    passed = (
        value - required_change >= stored.interval[0] and ours.interval[1] - required_change >= stored.value
    )
    message = f"{reason} {_verdict(metric, ours, stored, required_change, passed=passed)}"
    return GateCheck(BETTER_THAN_CHAMPION, metric, message, passed=passed, value=value, required=stored.value)


def _verdict(
    metric: str, ours: StoredScore, stored: StoredScore, required_change: float, *, passed: bool
) -> str:
    """Say how the two scores compare, and what lets a lower one pass."""
    candidate, champion = (
        f"{metric_value(metric, score.value)} ({metric_interval(metric, score.interval)})"
        for score in (ours, stored)
    )
    verdict = "is not clearly worse; only a person can approve it" if passed else "is clearly worse"
    margin = f", with a required change of {required_change:+.3f}" if required_change else ""
    advice = f" A lower score is accepted with [gate.{metric}] min_absolute_change = -... in model.toml."
    return (
        f"By their own held-out rows the candidate {verdict}: {metric_name(metric)} {candidate} against "
        f"{champion}{margin}.{advice if not passed and required_change >= 0.0 else ''}"
    )
