"""Random histories of values, and what holds at a time: in plain Python, as the definition says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

START = datetime(2026, 1, 1, tzinfo=UTC)
ENTITIES = ("A", "ü c")
# few distinct hours, so that equal times are frequent
_HOURS = st.integers(0, 10)
_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
_VALUES = {
    "number": st.none() | st.floats(-1e6, 1e6, allow_subnormal=False),
    "whole": st.none() | st.integers(-(2**62), 2**62),
    "text": st.none() | st.sampled_from(["", "x", "ä 'q'", "1.50"]).map(lambda text: text or None),
    "flag": st.none() | st.booleans(),
    "moment": st.none() | _HOURS.map(lambda hours: START + timedelta(hours=hours, microseconds=7)),
}
FEATURES = tuple(_VALUES)


@dataclass(frozen=True)
class Value:
    """One row of a view."""

    entity: str
    at: datetime
    created: datetime
    values: tuple[Any, ...]

    def cells(self) -> dict[str, Any]:
        """The row of a CSV file."""
        cells = dict(zip(FEATURES, map(_cell, self.values), strict=True))
        return {"patient_id": self.entity, "at": _cell(self.at), "written": _cell(self.created), **cells}


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else value


@st.composite
def _value(draw: st.DrawFn) -> Value:
    at = (START + timedelta(hours=draw(_HOURS))).astimezone(draw(_ZONES))
    late = timedelta(hours=draw(st.sampled_from([0, 0, 1, 3])))
    values = tuple(draw(strategy) for strategy in _VALUES.values())
    return Value(draw(st.sampled_from(ENTITIES)), at, at + late, values)


def _identity(value: Value) -> tuple[Any, ...]:
    return value.entity, value.at, value.created


def histories(max_size: int = 15) -> st.SearchStrategy[list[Value]]:
    """Rows in any order: ties, late rows, corrections of equal times, missing values, several time zones."""
    return st.lists(_value(), min_size=3, max_size=max_size, unique_by=_identity)


def requests(max_size: int = 15) -> st.SearchStrategy[list[tuple[str, datetime]]]:
    """Entity rows; their times are often exactly those of values, or those plus the ttl."""
    moment = st.integers(0, 14).map(lambda hours: START + timedelta(hours=hours))
    return st.lists(st.tuples(st.sampled_from((*ENTITIES, "never")), moment), min_size=5, max_size=max_size)


def value_at(
    history: Iterable[Value], entity: str, moment: datetime, ttl: timedelta | None, *, as_known: bool = False
) -> Sequence[Any]:
    """Return what holds for an entity at a time."""
    held = [
        each
        for each in history
        if each.entity == entity
        and each.at <= moment
        and (ttl is None or moment - each.at <= ttl)
        and (not as_known or each.created <= moment)
    ]
    if not held:
        return (None,) * len(FEATURES)
    return max(held, key=lambda each: (each.at, each.created)).values


def _of_one_hour(created_hours: int, number: float) -> Value:
    return Value(
        "A",
        START + timedelta(hours=1),
        START + timedelta(hours=created_hours),
        (number, 1, None, True, START),
    )


# three rows of one time, the last created in the middle, read at every bound of a ttl of two hours
TIES = [_of_one_hour(1, 1.5), _of_one_hour(3, 2.5), _of_one_hour(2, 3.5)]
BOUNDS = [("A", START + timedelta(hours=hours)) for hours in range(5)]
TWO_HOURS = timedelta(hours=2)
