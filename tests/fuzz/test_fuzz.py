"""A short run of the fuzzer, and the proof that it notices what it looks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.dataset.validation.reading import read_table
from mlops.dataset.validation.validate import validate
from tests.fuzz.__main__ import GOOD, check
from tests.fuzz.irregular_files import irregular_file
from tests.fuzz.oracle import SETTINGS, _independent, _other_values, _same_number


@pytest.mark.property
@pytest.mark.parametrize("first", range(0, 80, 20))
def test_no_irregular_file_crashes_or_is_accepted_in_silence(first: int, tmp_path: Path) -> None:
    actual = {seed: check(seed, tmp_path) for seed in range(first, first + 20)}
    assert {seed: complaints for seed, complaints in actual.items() if complaints} == {}


def test_a_seed_always_gives_the_same_file() -> None:
    assert [irregular_file(seed)[0] for seed in range(20)] == [irregular_file(seed)[0] for seed in range(20)]


def test_the_irregular_files_have_every_verdict(tmp_path: Path) -> None:
    verdicts = set()
    for seed in range(60):
        path = tmp_path / "file.csv"
        path.write_bytes(irregular_file(seed)[0])
        verdicts.add(validate(path, SETTINGS).verdict)
    assert verdicts == {"accept", "warn", "reject"}


@pytest.mark.parametrize(("column", "value"), [("age", 1.0), ("region", "elsewhere")])
def test_a_value_that_changed_on_its_way_is_noticed(tmp_path: Path, column: str, value: object) -> None:
    path = tmp_path / "file.csv"
    path.write_text(GOOD)
    report = validate(path, SETTINGS, purpose="inference")
    names, rows = _independent(path, report)
    table = read_table(path, None, SETTINGS)
    assert list(_other_values(table, names, rows, report)) == []
    table[column] = table[column].astype(object if isinstance(value, str) else float)
    table.loc[7, column] = value
    assert len(list(_other_values(table, names, rows, report))) == 1


def test_a_number_that_became_missing_is_noticed() -> None:
    assert not _same_number("5", float("nan"), ".")
    assert _same_number("n/a", float("nan"), ".")
