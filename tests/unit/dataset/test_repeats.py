"""Repeated ids and rows, anywhere in the file and however their numbers are written."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from mlops.dataset.table.mixing import mixed
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import ColumnContract, Contract, Finding

N_ROWS = 60_000  # several blocks of the reader
PADDING = "p" * 30
CONTRACT = Contract(
    (
        ColumnContract("patient_id", "text", "id", is_unique=True),
        ColumnContract("age", "number", "feature", minimum=0.0, maximum=100_000.0),
        ColumnContract("note", "text", "feature"),
        ColumnContract("adherent", "category", "target", levels=("no", "yes")),
    ),
    "adherent",
)


def a_table() -> list[list[str]]:
    rng = random.Random(5)
    return [[f"P{i}", f"{i}.5", f"{PADDING}{i}", rng.choice(("yes", "no"))] for i in range(N_ROWS)]


def findings(tmp_path: Path, rows: list[list[str]]) -> dict[str, Finding]:
    path = tmp_path / "file.csv"
    path.write_text("\n".join(map(",".join, [["patient_id", "age", "note", "adherent"], *rows])) + "\n")
    return {actual.rule_id: actual for actual in validate(path, contract=CONTRACT).findings}


def test_keys_are_mixed_as_in_every_release() -> None:
    keys = np.array([0, 1, 2**31, 2**64 - 1], np.uint64)
    stored = [0, 13787848793156543929, 5605497511543629241, 14282661052742107136]
    assert mixed(keys).tolist() == stored


def test_a_row_that_is_repeated_far_below_is_found(tmp_path: Path) -> None:
    rows = a_table()
    actual = findings(tmp_path, [*rows, rows[7]])
    assert actual["duplicate_ids"].lines == actual["duplicate_rows"].lines == (N_ROWS + 2,)


def test_an_id_that_is_repeated_with_other_values_is_not_a_repeated_row(tmp_path: Path) -> None:
    rows = a_table()
    actual = findings(tmp_path, [*rows, [rows[7][0], *rows[8][1:]]])
    assert actual["duplicate_ids"].lines == (N_ROWS + 2,)
    assert "duplicate_rows" not in actual


def test_a_row_with_another_label_far_below_is_a_conflict(tmp_path: Path) -> None:
    rows = a_table()
    other = "no" if rows[7][3] == "yes" else "yes"
    actual = findings(tmp_path, [*rows, [*rows[7][:3], other]])
    assert actual["conflicting_labels"].lines == (N_ROWS + 2,)


@pytest.mark.parametrize("irregular", [20, N_ROWS // 2, N_ROWS - 3])
def test_rows_are_compared_as_numbers_even_beside_a_word_among_them(tmp_path: Path, irregular: int) -> None:
    rows = a_table()
    rows[irregular][1] = "soon"
    actual = findings(tmp_path, [*rows, [rows[7][0], "7.50", *rows[7][2:]]])
    assert actual["type_mismatch"].lines == (irregular + 2,)
    assert actual["duplicate_rows"].lines == (N_ROWS + 2,)


def test_without_an_id_a_row_of_the_beginning_that_is_repeated_far_below_is_found(tmp_path: Path) -> None:
    rows = a_table()
    lines = [",".join(row[1:]) for row in [["", "age", "note", "adherent"], *rows, rows[7]]]
    path = tmp_path / "file.csv"
    path.write_text("\n".join(lines) + "\n")
    actual = {finding.rule_id: finding for finding in validate(path, {"target": "adherent"}).findings}
    assert actual["duplicate_rows"].lines == (N_ROWS + 2,)


def test_every_word_among_numbers_is_counted_whatever_came_before(tmp_path: Path) -> None:
    rows = a_table()
    irregular = np.arange(1000, N_ROWS, 997)
    for row in irregular.tolist():
        rows[row][1] = "soon"
    actual = findings(tmp_path, rows)
    assert actual["type_mismatch"].count == len(irregular)
    assert "out_of_range" not in actual


@pytest.mark.parametrize("first", [3, N_ROWS // 2])
def test_a_row_whose_field_spans_lines_is_found_again(tmp_path: Path, first: int) -> None:
    rows = a_table()
    rows[first][2] = '"two\nlines"'
    actual = findings(tmp_path, [*rows, rows[first]])
    assert actual["duplicate_rows"].lines == (N_ROWS + 3,)
    assert actual["duplicate_rows"].count == 1


def test_few_repeats_at_the_beginning_are_found_like_many(tmp_path: Path) -> None:
    rows = a_table()
    rows[5], rows[9] = rows[4], [rows[8][0], *rows[9][1:]]
    actual = findings(tmp_path, rows)
    assert actual["duplicate_ids"].lines == (7, 11)
    assert actual["duplicate_rows"].lines == (7,)
