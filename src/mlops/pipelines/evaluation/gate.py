"""Whether a candidate may be proposed for approval: judgement over numbers that the training job computed.

Imports no numpy, because the Lambda that registers a model judges it.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops.models.errors import SettingsError
from mlops.models.metrics import (
    METRICS,
    metric_difference,
    metric_interval,
    metric_name,
    metric_value,
)
from mlops.models.nearest import nearest
from mlops.models.settings.group import GateRule
from mlops.models.training import (
    SCORE_NAMES,
    ChampionComparison,
    EvaluationMetrics,
    GateCheck,
    GateResult,
    MetricComparison,
)

BETTER_THAN_CHAMPION = "better_than_champion"
_BETTER = "is better than that of"
_EQUAL = "does not differ clearly from that of"
_WORSE = "is clearly worse than that of"


def judge(
    metrics: EvaluationMetrics,
    comparison: ChampionComparison | None = None,
    rules: Mapping[str, GateRule] | None = None,
) -> GateResult:
    """Judge a candidate.

    Without rules two things are required of the primary score: its interval must be above the dummy model's
    score, and the interval of its paired difference to the champion above 0, so that an equal model does not
    win by noise. A rule with a `threshold` on the primary score takes the place of the first, one with a
    `min_..._change` that of the second. A candidate passes beside a champion that it cannot be compared with,
    and that is said.

    Parameters
    ----------
    metrics
        Scores of the candidate on held-out rows.
    comparison
        Candidate against champion on the same rows; None without a champion.
    rules
        By score name.

    Raises
    ------
    SettingsError
        If a rule is on a score that the task does not have.
    """
    stated = dict(rules or {})
    _check_names(stated, metrics)
    primary = metrics.primary or "roc_auc"
    rule = stated.get(primary, GateRule())
    checks = []
    if rule.threshold is None:
        checks.append(_check_dummy(metrics, primary))
    if comparison is not None and not _asks_for_change(rule):
        checks.append(_check_champion(comparison, primary))
    for metric, metric_rule in stated.items():
        checks += _check_rule(metric, metric_rule, metrics, comparison)
    return GateResult(
        passed=all(check.passed for check in checks),
        reasons=tuple(check.message for check in checks),
        checks=tuple(checks),
    )


def _check_names(rules: Mapping[str, GateRule], metrics: EvaluationMetrics) -> None:
    for name in rules:
        if name not in SCORE_NAMES:
            raise SettingsError(
                f"The gate has a rule on the unknown score {name!r}. {nearest(name, SCORE_NAMES)}"
            )
        if name not in metrics.values():
            raise SettingsError(
                f"The gate has a rule on {name}, which a {metrics.task} task does not have; "
                f"it has {', '.join(metrics.values())}."
            )


def _asks_for_change(rule: GateRule) -> bool:
    return rule.min_absolute_change is not None or rule.min_relative_change is not None


def _check_dummy(metrics: EvaluationMetrics, primary: str) -> GateCheck:
    value = metrics.values().get(primary)
    dummy = metrics.dummy.get(primary)
    if value is None or dummy is None:
        message = (
            f"{metric_name(primary)} could not be computed on the {metrics.n_rows} held-out rows; more rows "
            "are needed."
        )
        return GateCheck("beats_dummy", primary, message, passed=False, value=value, required=dummy)
    low, high = metrics.intervals.get(primary, (value, value))
    passed = low > dummy
    verb = "is better than" if passed else "is not clearly better than"
    message = (
        f"{metric_name(primary)} {metric_value(primary, value)} ({metric_interval(primary, (low, high))}) "
        f"{verb} a model that looks at nothing ({metric_value(primary, dummy)})."
    )
    return GateCheck("beats_dummy", primary, message, passed=passed, value=value, required=dummy)


def _check_champion(comparison: ChampionComparison, primary: str) -> GateCheck:
    name = comparison.champion_version or "the champion"
    compared = comparison.metrics.get(primary)
    if not comparison.comparable or compared is None:
        reason = comparison.reason or f"{metric_name(primary)} is not defined for both"
        message = f"Not compared with {name}: {reason}"
        return GateCheck(BETTER_THAN_CHAMPION, primary, message, passed=True)
    verdict, other = _verdict(compared), comparison.other_features
    message = (
        f"{metric_name(primary)} {verdict} {name} on the same {comparison.n_rows} rows: "
        f"{_difference(primary, compared)}."
    )
    if verdict == _EQUAL:
        message += (
            " An equal model does not replace the champion; "
            "a min_absolute_change below 0 in a gate rule on this score would let it pass."
        )
    return GateCheck(
        BETTER_THAN_CHAMPION,
        primary,
        f"{message} {other}" if other else message,
        passed=verdict == _BETTER,
        value=compared.candidate,
        required=compared.champion,
    )


def _verdict(compared: MetricComparison) -> str:
    low, high = compared.interval
    if low > 0.0:
        return _BETTER
    return _WORSE if high < 0.0 else _EQUAL


def _difference(metric: str, compared: MetricComparison) -> str:
    candidate, champion = (metric_value(metric, score) for score in (compared.candidate, compared.champion))
    difference = metric_difference(metric, compared.difference)
    interval = metric_interval(metric, compared.interval, is_difference=True)
    return f"{candidate} against {champion}, difference {difference} ({interval})"


def _check_rule(
    metric: str, rule: GateRule, metrics: EvaluationMetrics, comparison: ChampionComparison | None
) -> list[GateCheck]:
    checks = []
    if rule.threshold is not None:
        checks.append(_check_threshold(metric, rule, metrics.values()[metric]))
    if comparison is not None and _asks_for_change(rule):
        checks.append(_check_change(metric, rule, comparison))
    return checks


def _check_threshold(metric: str, rule: GateRule, value: float) -> GateCheck:
    limit = float(rule.threshold or 0.0)
    passed = value >= limit if rule.higher_is_better else value <= limit
    is_upward = rule.higher_is_better == METRICS[metric].higher_is_better  # as the numbers are shown
    bound = "at least" if is_upward else "at most"
    verb = "reaches the rule" if passed else "misses the rule"
    shown = metric_value(metric, value)
    message = f"{metric_name(metric)} {shown} {verb} of {bound} {metric_value(metric, limit)}."
    return GateCheck("threshold", metric, message, passed=passed, value=value, required=limit)


def _check_change(metric: str, rule: GateRule, comparison: ChampionComparison) -> GateCheck:
    """Ask for the change, and that chance does not explain it: equal models do not win by noise.

    A change below 0 is a margin: the whole interval must show that the candidate is worse by no more.
    """
    name = comparison.champion_version or "the champion"
    compared = comparison.metrics.get(metric)
    if not comparison.comparable or compared is None:
        reason = comparison.reason or f"{metric_name(metric)} is not defined for both"
        return GateCheck("change", metric, f"Not compared with {name}: {reason}", passed=True)
    sign = 1.0 if rule.higher_is_better else -1.0
    gain = sign * compared.difference
    min_gain = min(sign * end for end in compared.interval)
    required = _required_change(rule, compared)
    if required < 0.0:
        passed, change = min_gain >= required, f"of being worse by at most {-required:.3f}"
    else:
        passed, change = gain >= required and min_gain > 0.0, f"of a change of {required:.3f}"
    verb = "reaches the rule" if passed else "misses the rule"
    difference = _difference(metric, compared)
    message = f"{metric_name(metric)} {verb} {change}, beyond chance, against {name}: {difference}."
    return GateCheck("change", metric, message, passed=passed, value=gain, required=required)


def _required_change(rule: GateRule, compared: MetricComparison) -> float:
    changes = [] if rule.min_absolute_change is None else [rule.min_absolute_change]
    if rule.min_relative_change is not None:
        changes.append(rule.min_relative_change * abs(compared.champion))
    return max(changes)
