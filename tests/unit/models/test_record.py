"""Records survive the way through JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.models.record import Record
from mlops.models.training import EvaluationMetrics


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Point(Record):
    x: float
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Everything(Record):
    name: str
    count: int
    share: float | None = None
    at: datetime | None = None
    day: date | None = None
    colour: Colour = Colour.RED
    path: Path = Path("a/b")
    points: tuple[Point, ...] = ()
    pair: tuple[str, float] = ("a", 1.0)
    by_name: Mapping[str, Point] = field(default_factory=dict)
    nested: Point | None = None
    grid: tuple[tuple[int, ...], ...] = ()


finite = st.floats(allow_nan=False, allow_infinity=False)
points = st.builds(Point, finite, finite)
everything = st.builds(
    Everything,
    name=st.text(),
    count=st.integers(),
    share=st.none() | finite,
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    day=st.none() | st.dates(),
    colour=st.sampled_from(Colour),
    points=st.lists(points).map(tuple),
    pair=st.tuples(st.text(), finite),
    by_name=st.dictionaries(st.text(), points),
    nested=st.none() | points,
    grid=st.lists(st.lists(st.integers()).map(tuple)).map(tuple),
)


@pytest.mark.property
@given(everything)
def test_a_record_survives_json(record: Everything) -> None:
    assert Everything.from_json(record.to_json()) == record


@pytest.mark.property
@given(everything)
def test_to_dict_holds_only_what_json_knows(record: Everything) -> None:
    document = record.to_dict()
    assert json.loads(json.dumps(document)) == document


def test_a_missing_field_takes_its_default() -> None:
    assert Point.from_dict({"x": 1}) == Point(1.0)


@dataclass(frozen=True, slots=True)
class Scores(Record):
    by_name: Mapping[str, float | None]
    interval: tuple[float, float]
    bounds: tuple[float | None, ...]


def test_a_whole_number_in_a_float_field_becomes_a_float() -> None:
    assert isinstance(Point.from_dict({"x": 1}).x, float)
    scores = Scores.from_dict({"by_name": {"a": 1, "b": None}, "interval": [0, 1], "bounds": [0, None]})
    assert scores == Scores({"a": 1.0, "b": None}, (0.0, 1.0), (0.0, None))
    assert all(
        isinstance(value, float) for value in (scores.by_name["a"], *scores.interval, scores.bounds[0])
    )


def test_what_a_later_release_wrote_stays_readable() -> None:
    document = Everything("a", 1, nested=Point(1.0)).to_dict()
    document["nested"]["z"] = document["new"] = 2
    assert Everything.from_dict(document) == Everything("a", 1, nested=Point(1.0))


@dataclass(frozen=True, slots=True)
class Loose(Record):
    kind: Literal["mail", "event"] = "mail"
    value: str | float | tuple[int, ...] | Point | None = None
    detail: Mapping[str, Any] | None = None


@pytest.mark.parametrize(
    ("document", "record"),
    [
        ({"kind": "message"}, Loose(kind="message")),  # a kind of a later release
        ({"value": "a"}, Loose(value="a")),
        ({"value": 1.5}, Loose(value=1.5)),
        ({"value": [1, 2]}, Loose(value=(1, 2))),
        ({"value": []}, Loose(value=())),
        ({"value": {"x": 1}}, Loose(value=Point(1.0))),
        ({"value": None, "detail": {"a": [1]}}, Loose(detail={"a": [1]})),
        ({"detail": {}}, Loose(detail={})),
    ],
)
def test_a_value_takes_the_first_type_that_can_hold_it(document: dict, record: Loose) -> None:
    assert Loose.from_dict(document) == record


def test_a_fixed_pair_with_another_length_is_an_error() -> None:
    for pair in ([], ["a"], ["a", 1.0, 2]):
        with pytest.raises(ValueError, match="zip"):
            Everything.from_dict({"name": "a", "count": 1, "pair": pair})


def test_a_pair_of_numbers_becomes_floats_and_another_length_is_an_error() -> None:
    read = EvaluationMetrics.from_dict({"intervals": {"r2": [0, 0.5]}}).intervals["r2"]
    assert read == (0.0, 0.5)
    assert isinstance(read[0], float)
    for pair in ([], [0.1], [0.1, 0.2, 0.3]):
        with pytest.raises(ValueError, match="must have 2 items"):
            EvaluationMetrics.from_dict({"intervals": {"r2": pair}})


@pytest.mark.parametrize(
    "written",
    [
        {"name": "a", "count": 1, "z": 2},
        {"name": "a", "count": 1, "nested": {"x": 1, "z": 2}},
        {"name": "a", "count": 1, "points": [{"x": 1}, {"x": 1, "z": 2}]},
        {"name": "a", "count": 1, "by_name": {"p": {"x": 1, "z": 2}}},
    ],
)
def test_a_field_that_a_person_wrote_wrong_is_named(written) -> None:
    with pytest.raises(ValueError, match="Everything has no field z"):
        Everything.from_dict(written, strict=True)


@pytest.mark.property
@given(everything)
def test_what_a_person_wrote_right_is_taken(record: Everything) -> None:
    assert Everything.from_dict(record.to_dict(), strict=True) == record


def test_a_number_that_json_cannot_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Point(float("nan")).to_json()
