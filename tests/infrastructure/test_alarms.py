"""What the alarms watch, and their states over simulated days: none is on without a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.fixes.cloudwatch.alarm_evaluation import COMPARISONS, state_of
from tests.infrastructure import template as t

MINUTE, HOUR, DAY = 60, 3600, 86400
# What functions publish; those with the event of the created stack run then for the first time.
AT_CREATION = (
    ("CheckDriftFunction", "DriftChecksCompleted", 1.0),
    ("RecoverUploadsFunction", "UploadSweepsCompleted", 1.0),
    ("WatchApprovalsFunction", "ConfirmedApprovers", 0.0),
)
STATISTICS = {"Sum": sum, "Maximum": max, "SampleCount": len}


def alarms() -> dict[str, dict[str, Any]]:
    return {name: alarm["Properties"] for name, alarm in t.resources("AWS::CloudWatch::Alarm").items()}


def value_of(metric: dict[str, Any]) -> str:
    """The logical id that the one dimension of a metric names, or nothing."""
    if not metric.get("Dimensions"):
        return ""
    (reference,) = metric["Dimensions"][0]["Value"].values()
    return str(reference if isinstance(reference, str) else reference[0])


def watched_ids(name: str) -> set[str]:
    """The logical ids whose metric of that name is watched."""
    metrics = [metric for alarm in alarms().values() for metric in t.watched(alarm)]
    return {value_of(metric) for metric in metrics if metric["MetricName"] == name}


def test_errors_of_every_function_are_watched() -> None:
    assert watched_ids("Errors") == set(t.functions())


def test_every_state_machine_is_watched_by_step_functions_own_counts() -> None:
    machines = set(t.resources("AWS::Serverless::StateMachine"))
    assert watched_ids("ExecutionsTimedOut") == machines
    assert watched_ids("ExecutionsFailed") == {*machines, ""}


def test_emails_of_every_topic_are_watched() -> None:
    assert watched_ids("NumberOfNotificationsFailed") == set(t.resources("AWS::SNS::Topic"))


def test_an_alarm_of_several_metrics_is_the_sum_of_all_of_them() -> None:
    for name, alarm in alarms().items():
        if "Metrics" not in alarm:
            continue
        total, *metrics = alarm["Metrics"]
        ids = [metric["Id"] for metric in metrics]
        assert total["Expression"] == f"SUM([{', '.join(f'FILL({metric}, 0)' for metric in ids)}])", name
        assert len(set(ids)) == len(ids) <= 10, f"{name}: CloudWatch takes 10 metrics for an alarm"
        assert [metric["ReturnData"] for metric in metrics] == [False] * len(ids)
        assert len({metric["MetricStat"]["Period"] for metric in metrics}) == 1


# ── States over simulated days ──────────────────────────────────────────


@dataclass
class Days:
    """What is published from the creation of the stack (second 0) on, and the states that follow from it."""

    points: dict[tuple[str, str], list[tuple[int, float]]] = field(default_factory=dict)

    def publish(self, second: int, name: str, value: float, of: str = "") -> None:
        self.points.setdefault((name, of), []).append((second, value))

    def state(self, name: str, now: int) -> str:
        alarm = alarms()[name]
        series = [self._series(metric, alarm["EvaluationPeriods"], now) for metric in t.watched(alarm)]
        values = [_total(column) for column in zip(*series, strict=True)]
        compare, threshold = COMPARISONS[alarm["ComparisonOperator"]], _number(alarm["Threshold"])
        breaching = [None if value is None else bool(compare(value, threshold)) for value in values]
        return state_of(breaching, len(values), alarm["TreatMissingData"], "INSUFFICIENT_DATA")

    def _series(self, metric: dict[str, Any], count: int, now: int) -> list[float | None]:
        points, period = self.points.get((metric["MetricName"], value_of(metric)), []), metric["Period"]
        result: list[float | None] = []
        for back in range(count, 0, -1):
            start, end = now - back * period, now - (back - 1) * period
            inside = [value for second, value in points if start < second <= end]
            result.append(STATISTICS[metric["Stat"]](inside) if inside else None)
        return result


def _total(column: tuple[float | None, ...]) -> float | None:
    present = [value for value in column if value is not None]
    return sum(present) if present else None


def _number(value: Any) -> float:
    return float(t.template()["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value)


def healthy_days(created_at: int, *, last_night: int = 99, confirmed_at: int = 2 * HOUR) -> Days:
    """Three days of a stack that was created at that second of a day (UTC)."""
    days = Days()
    for function, name, value in AT_CREATION:
        if "StackCreated" in t.functions()[function]["Events"]:
            days.publish(5 * MINUTE, name, value)
    for night in range(min(4, last_night + 1)):
        start = night * DAY + 2 * HOUR - created_at
        if start > 0:  # each night takes longer than the one before
            days.publish(start + 10 * MINUTE + night * 30 * MINUTE, "DriftChecksCompleted", 1)
            days.publish(start, "UploadSweepsCompleted", 1)
            days.publish(start, "QualityDrops", 0)
    for second in range(30 * MINUTE, 3 * DAY, 30 * MINUTE):  # a rate begins one interval after the creation
        days.publish(second + MINUTE, "ConfirmedApprovers", float(second >= confirmed_at))
        days.publish(second + MINUTE, "OldestApprovalSeconds", min(second, DAY))
        for function in t.functions():
            days.publish(second, "Errors", 0, function)
    days.publish(6 * HOUR, "Errors", 1, "RunInferenceFunction")  # one error, which a retry mended
    days.publish(6 * HOUR, "Throttles", 40)  # a burst
    for machine in t.resources("AWS::Serverless::StateMachine"):
        days.publish(6 * HOUR, "ExecutionsFailed", 0, machine)
    return days


@pytest.mark.parametrize("created_at", [0, HOUR + 50 * MINUTE, 2 * HOUR + 10 * MINUTE, 14 * HOUR])
def test_no_alarm_is_on_in_the_first_days_of_a_healthy_stack(created_at: int) -> None:
    days = healthy_days(created_at)
    moments = range(10 * MINUTE, 2 * DAY + 12 * HOUR, 20 * MINUTE)
    on = {(name, now) for name in alarms() for now in moments if days.state(name, now) == "ALARM"}
    assert not on


def test_a_night_without_a_drift_check_is_an_alarm_after_26_hours() -> None:
    days = healthy_days(0, last_night=0)
    last = 2 * HOUR + 10 * MINUTE
    assert days.state("DriftCheckMissingAlarm", last + 26 * HOUR - MINUTE) == "OK"
    assert days.state("DriftCheckMissingAlarm", last + 26 * HOUR + MINUTE) == "ALARM"


def test_an_approver_who_does_not_confirm_is_an_alarm_after_four_hours() -> None:
    days = healthy_days(0, confirmed_at=DAY)
    assert days.state("NoApproverAlarm", 3 * HOUR) == "OK"
    assert days.state("NoApproverAlarm", 4 * HOUR + MINUTE) == "ALARM"


def test_approvals_that_are_not_checked_are_an_alarm_after_26_hours() -> None:
    days = Days()
    days.publish(0, "ConfirmedApprovers", 1)
    assert days.state("ApprovalWatchMissingAlarm", 25 * HOUR) == "OK"
    assert days.state("ApprovalWatchMissingAlarm", 26 * HOUR + MINUTE) == "ALARM"


@pytest.mark.parametrize("rate", ["rate(1 minute)", "rate(2 minutes)", "rate(60 minutes)", "rate(1 hour)"])
def test_approvals_are_checked_at_least_once_in_each_hour_that_an_alarm_looks_at(rate: str) -> None:
    pattern = t.template()["Parameters"]["ApprovalWatchSchedule"]["AllowedPattern"]
    assert re.fullmatch(pattern, rate)
    assert not any(
        re.fullmatch(pattern, rare)
        for rare in ("rate(61 minutes)", "rate(2 hours)", "rate(1 day)", "rate(0 minutes)")
    )
    assert alarms()["NoApproverAlarm"]["Period"] == HOUR


@pytest.mark.parametrize(
    ("name", "of", "count", "expected"),
    [
        ("Errors", "MergePredictionsFunction", 3, "LedgerFunctionErrorsAlarm"),
        ("Errors", "ConvertUploadFunction", 3, "IntakeFunctionErrorsAlarm"),
        ("Errors", "DecideApprovalFunction", 1, "ApprovalPageErrorsAlarm"),
        ("ExecutionsTimedOut", "TrainModelStateMachine", 1, "ExecutionsFailedAlarm"),
        ("ExecutionsFailed", "RunInferenceStateMachine", 1, "ExecutionsFailedAlarm"),
        ("ExecutionsFailed", "", 1, "ExecutionsFailedAlarm"),
        ("NumberOfNotificationsFailed", "ApprovalTopic", 1, "EmailsFailedAlarm"),
    ],
)
def test_a_failure_is_the_alarm_that_says_what_to_do(name: str, of: str, count: int, expected: str) -> None:
    days = healthy_days(0)
    now = DAY + 12 * HOUR
    for second in range(count):
        days.publish(now - 10 - second, name, 1, of)
    assert {alarm for alarm in alarms() if days.state(alarm, now) == "ALARM"} == {expected}


def test_functions_that_are_refused_for_15_minutes_are_an_alarm() -> None:
    days = healthy_days(0)
    now = DAY + 12 * HOUR
    for minute in range(1, 15):
        days.publish(now - minute * MINUTE, "Throttles", 1)
    assert days.state("FunctionThrottlesAlarm", now) == "ALARM"


def test_a_description_names_functions_that_exist() -> None:
    for alarm in alarms().values():
        assert set(re.findall(r"\b[A-Z]\w+Function\b", alarm["AlarmDescription"])) <= set(t.functions())
