"""Metrics that are asked for without dimensions.

AWS: a metric is namespace, name and the exact set of dimensions; a query without dimensions means the metric
published without any.
MiniStack 1.5.33: GetMetricData and GetMetricStatistics without dimensions mix the points of all dimension sets,
so that a metric published twice (per group and overall) counts double.
Here: such a query sees only the points without dimensions.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ministack.services import cloudwatch

from local.emulator import wrap

NO_DIMENSIONS = cloudwatch._dims_key({})
_exact: ContextVar[bool] = ContextVar("exact_dimensions", default=False)


def install() -> None:
    """Make the two queries exact."""
    wrap(cloudwatch, "_dims_key", _never_empty)
    for name in ("_get_metric_data", "_get_metric_statistics"):
        wrap(cloudwatch, name, _exactly)


class _EmptySet(dict[str, str]):
    """An empty set of dimensions that counts as given: the queries test `if dimensions`."""

    def __bool__(self) -> bool:
        return True


def _never_empty(original: Any) -> Any:
    def key(dimensions: dict[str, str]) -> Any:
        return original(dict(dimensions))

    return key


@contextmanager
def _empty_sets_count() -> Any:
    token = _exact.set(True)
    try:
        yield
    finally:
        _exact.reset(token)


def _exactly(original: Any) -> Any:
    wrapped_reader = cloudwatch._dims_from_list

    def from_list(dimensions: list[dict[str, str]]) -> dict[str, str]:
        found = wrapped_reader(dimensions)
        return _EmptySet() if _exact.get() and not found else found

    cloudwatch._dims_from_list = from_list

    def query(*arguments: Any, **keywords: Any) -> Any:
        with _empty_sets_count():
            return original(*arguments, **keywords)

    return query
