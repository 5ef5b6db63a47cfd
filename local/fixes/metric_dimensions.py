"""Metrics that are asked for without dimensions.

AWS: a metric is namespace, name and the exact set of dimensions; a query without dimensions means the
metric published without any.
MiniStack 1.5.33: GetMetricData and GetMetricStatistics without dimensions mix the points of all dimension
sets, so that a metric published twice (per group and overall) counts double.
Here: such a query sees only the points without dimensions.
"""

from typing import Any

from ministack.services import cloudwatch

from local.emulator import wrap


class NoDimensions(dict[str, str]):
    """An empty set of dimensions that counts as given: the queries ask `if dimensions`."""

    def __bool__(self) -> bool:
        """Tell the query that dimensions were named: none."""
        return True


def install() -> None:
    """Make queries without dimensions exact (`_dims_from_list` is only used by the two queries)."""
    wrap(cloudwatch, "_dims_from_list", _counting_none_as_given)


def _counting_none_as_given(original: Any) -> Any:
    def from_list(dimensions: list[dict[str, str]]) -> dict[str, str]:
        return original(dimensions) or NoDimensions()

    return from_list
