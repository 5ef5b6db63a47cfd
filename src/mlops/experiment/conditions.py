"""Conditions on runs, in the form that MLflow's search takes."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.models.errors import ExperimentError
from mlops.models.experiment import Run

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_ATTRIBUTES = ("run_id", "name", "status", "origin", "dataset", "code_digest", "started_at", "error_type")
_QUOTED = r"'[^']*'|\"[^\"]*\""
_CONDITION = re.compile(
    rf"""\s*(?:(?P<kind>metrics|params|tags)\.(?P<key>`[^`]+`|"[^"]+"|[^\s=!<>]+)
    |(?:attributes\.)?(?P<attribute>[a-z_]+))
    \s*(?P<operator>!=|>=|<=|=|>|<)\s*
    (?P<value>{_QUOTED}|[^\s'"]+)\s*(?:\s(?i:and)\s|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `kind` is `metrics`, `params`, `tags` or `attributes`, `value` as it was written."""

    kind: str
    name: str
    operator: str
    value: str

    def holds(self, run: Run) -> bool:
        """Return whether the run fulfils the condition; what the run does not have fulfils only `!=`."""
        logged = _look_up(run, self.kind, self.name)
        if logged is None:
            return self.operator == "!="
        if isinstance(logged, (int, float)) and not isinstance(logged, bool):
            return self._compare_number(float(logged))
        return _OPERATORS[self.operator](_text(logged), self.value)

    def _compare_number(self, logged: float) -> bool:
        try:
            expected = float(self.value)
        except ValueError as error:
            raise ExperimentError(
                f"{self.kind}.{self.name} is a number, so compare it with one, not with {self.value!r}."
            ) from error
        return _OPERATORS[self.operator](logged, expected)


def parse_where(text: str) -> tuple[Condition, ...]:
    """Read conditions joined by `and`.

    On the left are `metrics.NAME`, `params.NAME`, `tags.NAME` (names with spaces in backquotes) or one of
    `run_id`, `name`, `status`, `origin`, `dataset`, `code_digest`, `started_at`, `error_type`; on the right a
    number or a text, which needs quotes only when it has spaces. Numbers compare as numbers, else as text.

    Raises
    ------
    ExperimentError
        If the text cannot be read; the message shows from where on.
    """
    conditions, position = [], 0
    while position < len(text.rstrip()):
        match = _CONDITION.match(text, position)
        if match is None:
            raise ExperimentError(
                f"The condition cannot be read from {text[position:].strip()!r} on; write for example "
                "\"metrics.roc_auc > 0.7 and params.algorithm = 'XGBoost' and status = finished\"."
            )
        conditions.append(_condition(match))
        position = match.end()
    return tuple(conditions)


def _condition(match: re.Match[str]) -> Condition:
    value = match["value"]
    if value[0] in "'\"":
        value = value[1:-1]
    if match["kind"]:
        return Condition(match["kind"], match["key"].strip('`"'), match["operator"], value)
    name = match["attribute"]
    if name not in _ATTRIBUTES:
        raise ExperimentError(f"A run has no {name!r} to compare; there are {', '.join(_ATTRIBUTES)}.")
    return Condition("attributes", name, match["operator"], value.lower() if name == "status" else value)


def _look_up(run: Run, kind: str, name: str) -> Any:
    if kind != "attributes":
        values: Mapping[str, Any] = getattr(run, kind)
        return values.get(name)
    match name:
        case "dataset":
            return run.dataset and run.dataset.dataset_id
        case "error_type":
            return run.failure and run.failure.error_type
        case "started_at":
            return run.started_at.isoformat()
    return getattr(run, name)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
