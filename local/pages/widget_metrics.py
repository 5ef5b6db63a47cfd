"""From the `metrics` of a dashboard widget to series of numbers, by CloudWatch's own notation.

Understood: plain arrays (`[namespace, name, dimension, value, ..., {options}]`, with `.` and `...` for what
the line above says), expressions of the form `SEARCH('{namespace,dimension} MetricName="x" words',
'stat', period)`, and a metric of the widget divided by a number (`m1/3600`).
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ministack.services import cloudwatch

_SEARCH = re.compile(
    r"\s*SEARCH\(\s*'\{(?P<schema>[^}]*)\}(?P<terms>[^']*)'\s*(?:,\s*'(?P<stat>[^']*)'\s*(?:,\s*(?P<period>\d+)\s*)?)?\)"
)
_TERM = re.compile(r'(?:(?P<name>[\w.]+)=)?(?:"(?P<quoted>[^"]*)"|(?P<word>[^\s"]+))')
_QUOTIENT = re.compile(r"\s*(?P<id>[a-z]\w*)\s*/\s*(?P<divisor>\d+(?:\.\d+)?)\s*")
_DURATION = re.compile(r"-P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_DEFAULT_RANGE_SECONDS = 3 * 3600
_MIN_PERIODS = 12


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric that a widget shows."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str
    period_seconds: float
    label: str
    divisor: float = 1.0


@dataclass(frozen=True, slots=True)
class Series:
    """The statistic of one metric over time (`points`: time, value) and over the whole range (`total`)."""

    label: str
    points: tuple[tuple[float, float], ...]
    total: float | None


def range_seconds(start: str | None) -> float:
    """Return how far back a dashboard looks: `-P7D` is seven days."""
    duration = _DURATION.fullmatch(start or "")
    if duration is None:
        return _DEFAULT_RANGE_SECONDS
    weeks, days, hours, minutes = (int(part or 0) for part in duration.groups())
    return ((weeks * 7 + days) * 24 + hours) * 3600.0 + minutes * 60.0


def series_of(properties: Mapping[str, Any], seconds_back: float) -> list[Series]:
    """Return the series of a widget, looking back from now."""
    since = time.time() - seconds_back
    metrics = list(metrics_of(properties))
    points = {metric: [p for p in _points(metric) if p["Timestamp"] >= since] for metric in metrics}
    period = _shown_period(metrics, [p["Timestamp"] for entries in points.values() for p in entries])
    return [_series(metric, points[metric], period) for metric in metrics]


def metrics_of(properties: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the metrics of a widget, searches replaced by what they find."""
    above: list[str] = []
    by_id: dict[str, Metric] = {}
    for entry in properties.get("metrics", []):
        options = entry[-1] if entry and isinstance(entry[-1], dict) else {}
        words = [word for word in entry if isinstance(word, str)]
        if "expression" in options:
            yield from _quotient(options, by_id) or _search(options, properties)
            continue
        above = _completed(words, above)
        pairs = tuple(sorted(zip(above[2::2], above[3::2], strict=False)))
        label = options.get("label") or (f"{above[1]} {pairs[0][1]}" if pairs else above[1])
        metric = Metric(above[0], above[1], pairs, *_statistic(options, properties), label)
        by_id[str(options.get("id"))] = metric
        if options.get("visible") is not False:
            yield metric


def _completed(words: list[str], above: list[str]) -> list[str]:
    """Replace `.` by the word above it, and `...` by as many words of the line above as are missing."""
    if "..." in words:
        at = words.index("...")
        missing = len(above) - (len(words) - 1)
        words = words[:at] + above[at : at + missing] + words[at + 1 :]
    return [above[index] if word == "." else word for index, word in enumerate(words)]


def _statistic(options: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[str, float]:
    stat = options.get("stat") or properties.get("stat") or "Average"
    return str(stat), float(options.get("period") or properties.get("period") or 300)


def _quotient(options: Mapping[str, Any], by_id: Mapping[str, Metric]) -> list[Metric]:
    """Return the metric that an expression divides; nothing when the expression is another one."""
    quotient = _QUOTIENT.fullmatch(str(options["expression"]))
    if quotient is None or quotient["id"] not in by_id:
        return []
    metric = by_id[quotient["id"]]
    return [replace(metric, divisor=float(quotient["divisor"]), label=options.get("label") or metric.label)]


def _search(options: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield what a SEARCH expression finds; any other expression finds nothing."""
    search = _SEARCH.match(str(options["expression"]))
    if search is None:
        return
    namespace, *names = [part.strip().strip('"') for part in search["schema"].split(",")]
    stat, period = _statistic(options, properties)
    for found_namespace, name, _ in sorted(cloudwatch._metrics.keys()):
        key = (found_namespace, name, _)
        points = cloudwatch._metrics.get(key)
        dimensions: dict[str, str] = points[0]["Dimensions"] if points else {}
        if found_namespace != namespace or sorted(dimensions) != sorted(names):
            continue
        if all(_matches(term, name, dimensions) for term in _TERM.finditer(search["terms"])):
            values = " ".join(dimensions[part] for part in names) or name
            label = f"{options['label']} {values}" if "label" in options else values
            pairs = tuple(sorted(dimensions.items()))
            yield Metric(
                namespace, name, pairs, search["stat"] or stat, float(search["period"] or period), label
            )


def _matches(term: re.Match[str], name: str, dimensions: Mapping[str, str]) -> bool:
    value = term["quoted"] if term["quoted"] is not None else term["word"]
    if term["name"] == "MetricName":
        return bool(value == name)
    if term["name"]:
        return dimensions.get(term["name"]) == value
    return any(value.lower() in text.lower() for text in (name, *dimensions.values()))


def _points(metric: Metric) -> list[dict[str, Any]]:
    key = (metric.namespace, metric.name, cloudwatch._dims_key(dict(metric.dimensions)))
    return list(cloudwatch._metrics.get(key) or [])


def _shown_period(metrics: list[Metric], times: list[float]) -> float:
    """Return the widget's period, or a shorter one when all the data there is fits into a few of them."""
    period = max((metric.period_seconds for metric in metrics), default=300.0)
    span = max(times) - min(times) if times else 0.0
    return min(period, max(1.0, span / _MIN_PERIODS))


def _series(metric: Metric, points: list[dict[str, Any]], period: float) -> Series:
    buckets: dict[float, list[dict[str, Any]]] = defaultdict(list)
    for point in points:
        buckets[point["Timestamp"] // period * period].append(point)
    values = ((at, _value(bucket, metric.stat)) for at, bucket in sorted(buckets.items()))
    drawn = tuple((at, value / metric.divisor) for at, value in values if value is not None)
    total = _value(points, metric.stat) if points else None
    return Series(metric.label, drawn, None if total is None else total / metric.divisor)


def _value(points: list[dict[str, Any]], stat: str) -> float | None:
    value = cloudwatch._stat_value(cloudwatch._calc_stats(points), stat, points)
    return None if value is None else float(value)
