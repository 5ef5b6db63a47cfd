"""A query without dimensions sees only the points that were published without any."""

from typing import Any

from local.emulator import wrap


class NoDimensions(dict[str, str]):
    """An empty set of dimensions that is true: the queries test `if dimensions`."""

    def __bool__(self) -> bool:
        """Return True: the dimensions are known, there are none."""
        return True


def install() -> None:
    """Make queries without dimensions exact (`_dims_from_list` is only used by the two queries)."""
    wrap("cloudwatch._dims_from_list", _exact)


def _exact(original: Any) -> Any:
    def from_list(dimensions: list[dict[str, str]]) -> dict[str, str]:
        return original(dimensions) or NoDimensions()

    return from_list
