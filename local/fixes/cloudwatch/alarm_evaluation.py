"""Alarms are evaluated as AWS documents it, on every publication and every second.

Periods end now instead of on the full minute, so that a person who watches need not wait for one.
"""

import time
from typing import Any, Literal

from ministack.services import cloudwatch

from local.emulator import wrap
from local.fixes.cloudwatch.ticker import every_tick

State = Literal["ALARM", "OK", "INSUFFICIENT_DATA"]
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def install() -> None:
    """Replace the evaluation and repeat it in the background."""
    wrap("cloudwatch._evaluate_alarm", lambda _: _evaluate)
    wrap("provisioners._cw_metric_alarm_record", _with_several_metrics)
    every_tick(cloudwatch._evaluate_all_alarms)


def state_of(breaching: list[bool | None], needed: int, missing: str, current: State) -> State:
    """Return the state that follows from the datapoints of the evaluation window.

    Parameters
    ----------
    breaching
        One entry per period: does it breach, or None without data.
    needed
        How many must breach (`DatapointsToAlarm`).
    missing
        `missing`, `ignore`, `breaching` or `notBreaching`.
    current
        The state so far, kept by `ignore`.
    """
    if all(entry is None for entry in breaching):
        by_policy: dict[str, State] = {"breaching": "ALARM", "notBreaching": "OK", "ignore": current}
        return by_policy.get(missing, "INSUFFICIENT_DATA")
    filled = [missing == "breaching" if entry is None else entry for entry in breaching]
    return "ALARM" if sum(filled) >= needed else "OK"


def datapoints(alarm: dict[str, Any], now: float) -> list[float | None]:
    """Return the statistic of each period of the window, oldest first, None where nothing was published.

    Of an alarm with several metrics (`Metrics`), their sum: the only expression that the template uses.
    """
    count = int(alarm.get("EvaluationPeriods") or 1)
    if not alarm.get("Metrics"):
        return _datapoints_of(alarm, alarm, count, now)
    stats = [query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query]
    series = [_datapoints_of(stat["Metric"], stat, count, now) for stat in stats]
    return [_sum(values) for values in zip(*series, strict=True)]


def _sum(values: tuple[float | None, ...]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) if present else None


def _datapoints_of(
    metric: dict[str, Any], query: dict[str, Any], count: int, now: float
) -> list[float | None]:
    dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    points = [
        point for point in cloudwatch._metrics.get(key) or [] if query.get("Unit") in (None, point["Unit"])
    ]
    statistic = query.get("ExtendedStatistic") or query.get("Statistic") or query.get("Stat") or "Average"
    period = float(query.get("Period") or 60)
    values: list[float | None] = []
    for back in range(count, 0, -1):
        start, end = now - back * period, now - (back - 1) * period
        inside = [point for point in points if start < point["Timestamp"] <= end]
        values.append(
            cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside) if inside else None
        )
    return values


def _evaluate(alarm: dict[str, Any]) -> None:
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    compare = COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if compare is None:
        return
    values = datapoints(alarm, time.time())
    threshold = float(alarm.get("Threshold") or 0.0)
    breaching = [None if value is None else bool(compare(value, threshold)) for value in values]
    needed = int(alarm.get("DatapointsToAlarm") or len(values))
    old = alarm["StateValue"]
    new = state_of(breaching, needed, str(alarm.get("TreatMissingData") or "missing"), old)
    if new != old:
        _change_state(alarm, old, new, _reason(alarm, values, breaching, needed))


def _reason(
    alarm: dict[str, Any], values: list[float | None], breaching: list[bool | None], needed: int
) -> str:
    shown = ", ".join("no data" if value is None else f"{value:g}" for value in values)
    return (
        f"Threshold crossed: {sum(map(bool, breaching))} of {len(values)} datapoints [{shown}] against "
        f"{alarm['ComparisonOperator']} {alarm['Threshold']:g} ({needed} needed)."
    )


def _change_state(alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
    alarm["StateValue"] = new
    alarm["StateReason"] = reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _with_several_metrics(original: Any) -> Any:
    def record(name: str, properties: dict[str, Any]) -> Any:
        queries = properties.get("Metrics")
        if not queries:
            return original(name, properties)
        first = next(query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query)
        stored = {key: value for key, value in properties.items() if key != "Metrics"}
        stored |= {"Namespace": first["Namespace"], "MetricName": first["MetricName"]}
        return original(name, stored) | {"Metrics": queries}

    return record
