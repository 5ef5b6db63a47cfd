"""Whether a candidate may be proposed for approval: judgement over numbers that the training job computed.

Imports no numpy, because the Lambda that registers a model judges it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.models.errors import SettingsError
from mlops.models.metrics import (
    METRICS,
    metric_difference,
    metric_interval,
    metric_name,
    metric_value,
)
from mlops.models.settings.gate import GateRule
from mlops.models.settings.nearest import nearest
from mlops.models.training import (
    SCORE_NAMES,
    ChampionComparison,
    EvaluationMetrics,
    GateCheck,
    GateResult,
)
from mlops.pipelines.evaluation.looks import coverage_of_look, interval_of_look
from mlops.pipelines.evaluation.stored_score import BETTER_THAN_CHAMPION, check_stored_score

_BETTER = "is better than that of"
_EQUAL = "does not differ clearly from that of"
_WORSE = "is clearly worse than that of"


def judge(
    metrics: EvaluationMetrics,
    comparison: ChampionComparison | None = None,
    rules: Mapping[str, GateRule] | None = None,
    floors: Mapping[str, GateRule] | None = None,
) -> GateResult:
    """Judge a candidate.

    Without rules two things are required of the primary score: its interval must be above the dummy model's
    score, and the interval of its paired difference to the champion above 0, so that an equal model does not
    win by noise; the interval is wider the more candidates were compared on the same rows. A rule with a
    `threshold` on the primary score takes the place of the first, one with a `min_..._change` that of the
    second. A champion that cannot be compared on the same rows is compared by its stored score, and then only
    a person may approve the candidate.

    Parameters
    ----------
    metrics, comparison
        Scores of the candidate on held-out rows, and against the champion on the same rows; None without one.
    rules, floors
        Those of the group and of the approval policy, by score name. A floor is judged in addition; one on a
        score that the task does not have is not passed.

    Raises
    ------
    SettingsError
        If a rule is on a score that the task does not have.
    """
    stated = dict(rules or {})
    _check_names(stated, metrics)
    primary = metrics.primary or "roc_auc"
    checks = [*_checks_of_primary(primary, stated.get(primary, GateRule()), metrics, comparison)]
    for metric, rule in stated.items():
        checks += _check_rule(metric, rule, metrics, comparison)
    for metric, floor in (floors or {}).items():
        checks += _check_floor(metric, floor, metrics, comparison)
    return GateResult(
        passed=all(check.passed for check in checks),
        reasons=tuple(check.message for check in checks),
        checks=tuple(checks),
        requires_person=comparison is not None and not _is_compared(comparison, primary),
    )


def _checks_of_primary(
    primary: str, rule: GateRule, metrics: EvaluationMetrics, comparison: ChampionComparison | None
) -> Iterator[GateCheck]:
    """Yield what is required of the primary score where no rule takes its place."""
    if rule.threshold is None:
        yield _check_dummy(metrics, primary)
    if comparison is not None and not _asks_for_change(rule):
        yield _check_champion(comparison, primary, metrics, rule)


def _is_compared(comparison: ChampionComparison, metric: str) -> bool:
    return comparison.comparable and metric in comparison.metrics


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
        if not rules[name].higher_is_better:
            raise SettingsError(
                f"The gate has higher_is_better = false on {name}, of which a greater value is better; "
                f"remove the line from [gate.{name}] in model.toml."
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


def _check_champion(
    comparison: ChampionComparison, primary: str, metrics: EvaluationMetrics, rule: GateRule
) -> GateCheck:
    name = comparison.champion_version or "the champion"
    if not _is_compared(comparison, primary):
        return check_stored_score(comparison, primary, metrics, rule, 0.0)
    compared = comparison.metrics[primary]
    low, high = interval_of_look(compared.difference, compared.interval, comparison.looks)
    verdict = _BETTER if low > 0.0 else _WORSE if high < 0.0 else _EQUAL
    message = f"{metric_name(primary)} {verdict} {name}{_rows_and_difference(primary, comparison)}"
    passed = verdict == _BETTER
    if not passed and _is_retrained_for_age(comparison, rule):
        passed = low >= -rule.age_margin
        message += f" {_age_sentence(name, rule, passed=passed)}"
    elif verdict == _EQUAL:
        message += (
            " An equal model does not replace the champion; "
            "a min_absolute_change below 0 in a gate rule on this score would let it pass."
        )
    other = comparison.other_features
    return GateCheck(
        BETTER_THAN_CHAMPION,
        primary,
        f"{message} {other}" if other else message,
        passed=passed,
        value=compared.candidate,
        required=compared.champion,
    )


def _is_retrained_for_age(comparison: ChampionComparison, rule: GateRule) -> bool:
    age = comparison.champion_age_days
    return rule.max_age_days is not None and age is not None and age > rule.max_age_days


def _age_sentence(name: str, rule: GateRule, *, passed: bool) -> str:
    verb = "passes as a retraining for age" if passed else "does not pass as a retraining for age either"
    sign = "above" if passed else "not above"
    return (
        f"{name} is older than {rule.max_age_days:g} days: the candidate of newer data {verb}, "
        f"because the interval is {sign} {-rule.age_margin:g}."
    )


def _rows_and_difference(metric: str, comparison: ChampionComparison) -> str:
    """Say on which rows the two were compared, how often these were used, and the difference."""
    compared, looks = comparison.metrics[metric], comparison.looks
    candidate, champion = (metric_value(metric, score) for score in (compared.candidate, compared.champion))
    difference = metric_difference(metric, compared.difference)
    interval = metric_interval(
        metric, interval_of_look(compared.difference, compared.interval, looks), is_difference=True
    )
    others = f", {comparison.n_known} left out that the champion knows" if comparison.n_known else ""
    return (
        f" on the same {comparison.n_rows} rows (comparison {looks:.3g} on them{others}): {candidate} "
        f"against {champion}, difference {difference} ({interval} at {coverage_of_look(looks):.1%})."
    )


def _check_rule(
    metric: str, rule: GateRule, metrics: EvaluationMetrics, comparison: ChampionComparison | None
) -> list[GateCheck]:
    checks = []
    if rule.threshold is not None:
        checks.append(_check_threshold(metric, rule.threshold, metrics.values()[metric]))
    if comparison is not None and _asks_for_change(rule):
        checks.append(_check_change(metric, rule, comparison, metrics))
    return checks


def _check_floor(
    metric: str, floor: GateRule, metrics: EvaluationMetrics, comparison: ChampionComparison | None
) -> list[GateCheck]:
    if metric in metrics.values():
        return _check_rule(metric, floor, metrics, comparison)
    message = (
        f"The approval policy has a floor on {metric_name(metric)}, which this model does not have: a change "
        "of the task does not avoid the floor."
    )
    return [GateCheck("policy_floor", metric, message, passed=False)]


def _check_threshold(metric: str, limit: float, value: float) -> GateCheck:
    passed = value >= limit
    bound = "at least" if METRICS[metric].higher_is_better else "at most"  # as the numbers are shown
    verb = "reaches the rule" if passed else "misses the rule"
    shown = metric_value(metric, value)
    message = f"{metric_name(metric)} {shown} {verb} of {bound} {metric_value(metric, limit)}."
    return GateCheck("threshold", metric, message, passed=passed, value=value, required=limit)


def _check_change(
    metric: str, rule: GateRule, comparison: ChampionComparison, metrics: EvaluationMetrics
) -> GateCheck:
    """Ask for the change, and that chance does not explain it: equal models do not win by noise.

    A change below 0 is a margin: the whole interval must show that the candidate is worse by no more.
    """
    name = comparison.champion_version or "the champion"
    if not _is_compared(comparison, metric):
        stored = comparison.stored.get(metric)
        required = _required_change(rule, stored.value) if stored else 0.0
        return check_stored_score(comparison, metric, metrics, rule, required)
    compared = comparison.metrics[metric]
    low, _ = interval_of_look(compared.difference, compared.interval, comparison.looks)
    required = _required_change(rule, compared.champion)
    if required < 0.0:
        passed, change = low >= required, f"of being worse by at most {-required:.3f}"
    else:
        passed, change = compared.difference >= required and low > 0.0, f"of a change of {required:.3f}"
    verb = "reaches the rule" if passed else "misses the rule"
    message = (
        f"{metric_name(metric)} {verb} {change}, beyond chance, against {name}"
        f"{_rows_and_difference(metric, comparison)}"
    )
    return GateCheck("change", metric, message, passed=passed, value=compared.difference, required=required)


def _required_change(rule: GateRule, champion: float) -> float:
    changes = [] if rule.min_absolute_change is None else [rule.min_absolute_change]
    if rule.min_relative_change is not None:
        changes.append(rule.min_relative_change * abs(champion))
    return max(changes)
