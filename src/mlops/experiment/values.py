"""How logged values are stored in a run: JSON values, finite numbers, no content of the data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, SupportsFloat

from mlops.experiment.names import require_name
from mlops.models.errors import ExperimentError, MlopsError
from mlops.models.experiment import RunFailure

LONGEST_PARAM = 6000  # MLflow's limit, so that every run can be exported


def flatten(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the params with nested mappings written as `outer.inner`, in order."""
    for name, value in params.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        else:
            yield require_name(path, "param"), param_value(path, value)


def param_value(name: str, value: Any) -> Any:
    """Return the JSON value of a param; numpy's scalars become Python's, what JSON lacks becomes text.

    Raises
    ------
    ExperimentError
        If the value is longer than 6,000 characters.
    """
    plain = _plain(value)
    if len(json.dumps(plain, ensure_ascii=False)) > LONGEST_PARAM:
        raise ExperimentError(
            f"The param {name!r} is longer than {LONGEST_PARAM} characters; log it as an artifact instead."
        )
    return plain


def metric_value(name: str, value: SupportsFloat) -> float | None:
    """Return the value as a float; None for NaN and infinity, which must not end a training run.

    Raises
    ------
    ExperimentError
        If it is not a number.
    """
    if not isinstance(value, SupportsFloat):
        raise ExperimentError(f"The metric {name!r} must be a number, not {type(value).__name__}.")
    number = float(value)
    return number if math.isfinite(number) else None


def failure_of(error: BaseException) -> RunFailure:
    """Return what a run keeps of an exception: the type, and the message of our own errors.

    A message of pandas or scikit-learn may quote a cell (`could not convert string to float: 'Ada'`), so it
    is left out.
    """
    message = str(error) if isinstance(error, MlopsError) else ""
    return RunFailure(type(error).__name__, message)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case PurePath():
            return value.as_posix()
    as_python = getattr(value, "item", None)  # numpy's scalars, without importing numpy
    return _plain(as_python()) if callable(as_python) and getattr(value, "shape", None) == () else str(value)
