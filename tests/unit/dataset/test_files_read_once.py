"""A file to score is read once: its rows are used while it is checked, as the whole file says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from mlops.dataset.validation.pieces import MarkedRows
from mlops.dataset.validation.reading import read_pieces, use_pieces
from mlops.dataset.validation.scoring import FileToScore, ScoringTerms, open_scoring_file
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings

ROWS = 50_000  # some blocks of the reader
NOTE = "a note of some length that fills the blocks of the reader sooner"
TERMS = ScoringTerms(GroupSettings.from_dict({"target": "y", "format": {"missing": ["-9"]}}), None)
PLAIN = ScoringTerms(GroupSettings.from_dict({"target": "y"}), None)


class Readings:
    """Keeps the rows of each time that a file was read."""

    def __init__(self) -> None:
        self.of_each_time: list[list[MarkedRows]] = []

    def __call__(self, pieces: Iterator[MarkedRows]) -> int:
        self.of_each_time.append(list(pieces))
        return len(self.of_each_time)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(**late: object) -> Path:
        """Write a file of which the last thousand rows hold `late`."""
        frame = pd.DataFrame({"name": NOTE, "amount": range(ROWS), "share": 0.25}, dtype=object)
        for column, value in late.items():
            frame.loc[ROWS - 1_000 :, column] = value
        frame.to_csv(tmp_path / "score.csv", index=False)
        return tmp_path / "score.csv"

    return write


def opened(path: Path, terms: ScoringTerms = PLAIN) -> FileToScore:
    file = open_scoring_file(path, terms)
    assert isinstance(file, FileToScore)
    return file


def assert_rows_are_those_of_a_second_reading(pieces: list[MarkedRows], path: Path, terms: ScoringTerms):
    expected = list(read_pieces(path, None, terms.settings).marked())
    assert len(expected) > 2
    for actual, again in zip(pieces, expected, strict=True):
        pd.testing.assert_frame_equal(actual.frame, again.frame)
        assert {name: list(marks) for name, marks in actual.unreadable.items()} == {
            name: list(marks) for name, marks in again.unreadable.items()
        }


@pytest.mark.parametrize(
    "late",
    [
        {},
        {"share": ""},
        {"share": "n/a"},
        {"share": "1e-3"},
        {"share": "soon"},
        {"share": "-9"},
        {"name": "0"},
    ],
    ids=str,
)
@pytest.mark.parametrize("terms", [PLAIN, TERMS], ids=["nothing stated", "missing stated"])
def test_rows_are_read_once_and_like_those_of_a_checked_file(late, terms, put):
    path, readings = put(**late), Readings()
    report, result = opened(path, terms).check_and_use(readings)
    assert (report.verdict != "reject", result) == (True, 1)
    (pieces,) = readings.of_each_time
    assert_rows_are_those_of_a_second_reading(pieces, path, terms)


def test_rows_are_read_again_when_the_beginning_was_written_in_another_way(put):
    path, readings = put(amount="1,234"), Readings()  # the mark of thousands shows at the end only
    report, result = opened(path).check_and_use(readings)
    assert (report.verdict != "reject", result) == (True, 2)
    assert readings.of_each_time[0][-1].frame["amount"].isna().any()
    assert set(readings.of_each_time[1][-1].frame["amount"].tail(1_000)) == {1_234.0}
    assert_rows_are_those_of_a_second_reading(readings.of_each_time[1], path, PLAIN)


def test_a_refused_file_gives_no_result(put):
    path, readings = put(), Readings()
    path.write_text(path.read_text() + "one cell too many,1,2,3\n")
    report, result = opened(path).check_and_use(readings)
    assert (report.verdict, result) == ("reject", None)


@pytest.mark.parametrize("is_refused", [False, True], ids=["accepted", "refused"])
def test_an_error_of_the_use_counts_unless_the_file_is_refused(is_refused, put):
    path = put()
    if is_refused:
        path.write_text(path.read_text() + "one cell too many,1,2,3\n")

    def fail(pieces: Iterator[MarkedRows]) -> None:
        next(pieces)
        raise DatasetError("no such column")

    if is_refused:
        report, _ = opened(path).check_and_use(fail)
        assert (report.verdict, report.n_rows) == ("reject", ROWS)
    else:
        with pytest.raises(DatasetError, match="no such column"):
            opened(path).check_and_use(fail)


def test_what_is_wrong_with_the_whole_file_is_said_before_an_error_of_the_use(put):
    def fail(pieces: Iterator[pd.DataFrame]) -> None:
        next(pieces)
        raise DatasetError("no such column")

    with pytest.raises(DatasetError, match="no such column"):
        use_pieces(put(), None, None, fail)
    path = put()
    path.write_text(path.read_text() + "one cell too many,1,2,3\n")
    with pytest.raises(DatasetError, match="with 4 fields"):
        use_pieces(path, None, None, fail)


def test_an_error_about_rows_that_were_read_in_another_way_does_not_count(put):
    path = put(amount="1,234")

    def count(pieces: Iterator[MarkedRows]) -> int:
        frames = [piece.frame for piece in pieces]
        if any(frame["amount"].isna().any() for frame in frames):
            raise DatasetError("an amount is missing")
        return sum(map(len, frames))

    assert opened(path).check_and_use(count)[1] == ROWS
