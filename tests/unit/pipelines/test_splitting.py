"""Who is held out: stable as the file grows, and never a group on both sides."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.dataset.table.table import Table
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.splitting import Split, split_rows


def split_frame(frame: pd.DataFrame, target: str, settings: GroupSettings) -> Split:
    return split_rows(Table.from_frame(frame, replace(settings, target=target)), settings)


def visits(n_people: int = 120, n_years: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    people, years = np.meshgrid(np.arange(n_people), np.arange(2015, 2015 + n_years), indexing="ij")
    return pd.DataFrame(
        {"person": people.ravel(), "year": years.ravel(), "x": rng.normal(size=people.size), "y": 0}
    )


def test_about_the_requested_share_is_held_out_whatever_names_the_rows():
    frame = visits(800)
    for settings in (GroupSettings(), GroupSettings(group_columns=("person",))):
        split = split_frame(frame, "y", settings)
        assert split.test.mean() == pytest.approx(0.2, abs=0.04)
        assert (split.train ^ split.test).all()


def test_no_group_is_on_both_sides():
    frame = visits()
    split = split_frame(frame, "y", GroupSettings(group_columns=("person",)))
    assert not set(frame.person[split.train]) & set(frame.person[split.test])


def test_the_last_part_of_the_time_is_held_out():
    frame = visits()
    split = split_frame(frame, "y", GroupSettings(time_column="year"))
    assert frame.year[split.train].max() < frame.year[split.test].min()
    assert split.test.mean() == pytest.approx(0.2)


def test_dates_written_as_text_order_the_rows_too():
    frame = pd.DataFrame({"on": pd.date_range("2024-01-01", periods=100).strftime("%Y-%m-%d"), "y": 0})
    split = split_frame(frame.sample(frac=1, random_state=0), "y", GroupSettings(time_column="on"))
    assert split.test.sum() == 20


def test_with_time_and_group_no_group_is_on_both_sides_and_training_is_before_the_test():
    frame = visits()
    split = split_frame(frame, "y", GroupSettings(time_column="year", group_columns=("person",)))
    assert not set(frame.person[split.train]) & set(frame.person[split.test])
    assert frame.year[split.train].max() < frame.year[split.test].min()
    assert split.n_left_out > 0


def test_a_corrected_label_does_not_move_its_row():
    frame = visits()
    corrected = frame.assign(y=1)
    first, second = (split_frame(table, "y", GroupSettings()) for table in (frame, corrected))
    assert (first.test == second.test).all()


@pytest.mark.parametrize(
    "named", [{}, {"group_columns": ("person",)}, {"time_column": "year", "group_columns": ("person",)}]
)
def test_another_seed_moves_no_row_to_the_other_side(named):
    frame = visits()
    first, second = (split_frame(frame, "y", GroupSettings(seed=seed, **named)) for seed in (0, 1))
    assert (first.test == second.test).all()
    assert (first.train == second.train).all()


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"group_columns": ("person",)},
        {"time_column": "year"},
        {"time_column": "year", "group_columns": ("person",)},
    ],
)
def test_a_smaller_held_out_part_is_within_a_greater_one(named):
    parts = [
        split_frame(visits(), "y", GroupSettings(test_fraction=fraction, **named))
        for fraction in (0.1, 0.2, 0.3, 0.6)
    ]
    for smaller, greater in pairwise(parts):
        assert not (smaller.test & ~greater.test).any()
        assert not (greater.train & ~smaller.train).any()


def test_one_group_alone_cannot_be_split():
    with pytest.raises(TrainingError, match="alike in person"):
        split_frame(visits(1), "y", GroupSettings(group_columns=("person",)))


def test_a_time_column_of_one_value_cannot_order_the_rows():
    with pytest.raises(TrainingError, match="one value only"):
        split_frame(visits().assign(year=2020), "y", GroupSettings(time_column="year"))


def test_a_time_column_of_words_is_refused():
    frame = visits().assign(year="some day")
    with pytest.raises(TrainingError, match="can be read as dates"):
        split_frame(frame, "y", GroupSettings(time_column="year"))


@pytest.mark.property
@given(
    values=st.lists(st.tuples(st.integers(-5, 500), st.text("abc", max_size=3)), min_size=30, max_size=60),
    n_first=st.integers(20, 30),
    by_id=st.booleans(),
)
def test_rows_never_change_sides_when_rows_are_added_or_reordered(values, n_first: int, by_id: bool):
    grown = pd.DataFrame(values, columns=["number", "text"]).assign(y=0)
    settings = GroupSettings(id_columns=("number",)) if by_id else GroupSettings()
    first = grown.iloc[:n_first]
    if first.number.nunique() < 20 or grown.number.nunique() < 20:
        return
    try:
        before, after = (split_frame(table, "y", settings).test for table in (first, grown))
        turned = split_frame(grown.iloc[::-1], "y", settings).test
    except TrainingError:  # chance may leave one side of so few rows empty
        return
    assert (after[:n_first] == before).all()
    assert (turned[::-1] == after).all()


@pytest.mark.property
@given(st.lists(st.integers(0, 10**6), min_size=40, max_size=80, unique=True))
def test_a_number_read_as_text_or_as_float_is_the_same_id(numbers: list[int]):
    settings = GroupSettings(id_columns=("id",))
    forms = [pd.Series(numbers), pd.Series(numbers, dtype=float), pd.Series(list(map(str, numbers)))]
    try:
        splits = [split_frame(pd.DataFrame({"id": ids, "y": 0}), "y", settings).test for ids in forms]
    except TrainingError:
        return
    assert (splits[0] == splits[1]).all()
    assert (splits[0] == splits[2]).all()


def test_the_sides_of_known_rows_stay_what_they_were_in_every_later_release():
    frame = pd.DataFrame({"id": [f"P{number}" for number in range(24)], "y": 0})
    split = split_frame(frame, "y", GroupSettings(id_columns=("id",)))
    assert np.flatnonzero(split.test).tolist() == [5, 12, 20]


def test_zero_and_minus_zero_are_one_number_in_the_content_of_a_row():
    values = np.where(np.arange(40) % 2, 0.0, np.arange(40.0))
    with_minus_zero = np.where(values == 0.0, -0.0, values)
    splits = [
        split_frame(pd.DataFrame({"x": x, "y": 0}), "y", GroupSettings()) for x in (values, with_minus_zero)
    ]
    assert (splits[0].test == splits[1].test).all()


def test_of_a_file_in_the_order_of_time_the_last_rows_are_held_out():
    frame = visits()
    split = split_frame(frame, "y", GroupSettings(split="last_rows"))
    assert np.flatnonzero(split.test).tolist() == list(range(480, 600))
    assert (split.train ^ split.test).all()
    assert split.time_cut is None
    with_groups = split_frame(frame, "y", GroupSettings(split="last_rows", group_columns=("x",)))
    assert with_groups.test.mean() == pytest.approx(0.2)
